"""Indonesian."""

from probes.languages import Language

LANGUAGE = Language(
    code="id",
    name="Indonesian",
    scripts=("Latin",),
    keyboard=("", "qwertyuiop", "asdfghjkl", "zxcvbnm"),
    casing="default",
    sources=(
        "keyboard: xkeyboard-config, layout us basic",
        "punctuation: standard orthography",
    ),
)
