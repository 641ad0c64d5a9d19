"""Swedish."""

from probes.languages import Language

LANGUAGE = Language(
    code="sv",
    name="Swedish",
    scripts=("Latin",),
    keyboard=("se",),
    marked="åäöé",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
