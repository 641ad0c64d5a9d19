"""Hungarian."""

from probes.languages import Language

LANGUAGE = Language(
    code="hu",
    name="Hungarian",
    scripts=("Latin",),
    keyboard=("hu",),
    marked="áéíóöőúüű",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
