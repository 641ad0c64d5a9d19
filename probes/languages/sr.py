"""Serbian."""

from probes.languages import Language

LANGUAGE = Language(
    code="sr",
    name="Serbian",
    scripts=("Cyrillic", "Latin"),
    keyboard=("rs", "rs(latin)"),
    marked="čćđšž",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
