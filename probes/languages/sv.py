"""Swedish."""

from probes.languages import Language

LANGUAGE = Language(
    code="sv",
    name="Swedish",
    scripts=("Latin",),
    keyboard=("", "qwertyuiopå", "asdfghjklöä", "zxcvbnm"),
    marked="åäöé",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config, layout se basic",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
