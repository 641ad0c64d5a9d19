"""Danish."""

from probes.languages import Language

LANGUAGE = Language(
    code="da",
    name="Danish",
    scripts=("Latin",),
    keyboard=("dk",),
    marked="åøé",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
