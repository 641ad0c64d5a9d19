"""Ukrainian."""

from probes.languages import Language

LANGUAGE = Language(
    code="uk",
    name="Ukrainian",
    scripts=("Cyrillic",),
    keyboard=("ua",),
    marked="ґ",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
