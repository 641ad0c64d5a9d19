"""Swahili."""

from probes.languages import Language

LANGUAGE = Language(
    code="sw",
    name="Swahili",
    scripts=("Latin",),
    keyboard=("", "qwertyuiop", "asdfghjkl", "zxcvbnm"),
    casing="default",
    sources=(
        "keyboard: xkeyboard-config, layout ke basic",
        "punctuation: standard orthography",
    ),
)
