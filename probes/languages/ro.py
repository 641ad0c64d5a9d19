"""Romanian."""

from probes.languages import Language

LANGUAGE = Language(
    code="ro",
    name="Romanian",
    scripts=("Latin",),
    keyboard=("ro",),
    marked="ăâîșțşţ",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
