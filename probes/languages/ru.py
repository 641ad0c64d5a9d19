"""Russian."""

from probes.languages import Language

LANGUAGE = Language(
    code="ru",
    name="Russian",
    scripts=("Cyrillic",),
    keyboard=("ru",),
    marked="ё",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
