"""Danish."""

from probes.languages import Language

LANGUAGE = Language(
    code="da",
    name="Danish",
    scripts=("Latin",),
    keyboard=("", "qwertyuiopå", "asdfghjklæø", "zxcvbnm"),
    marked="åøé",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config, layout dk basic",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
