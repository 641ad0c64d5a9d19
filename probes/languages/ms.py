"""Malay."""

from probes.languages import Language

LANGUAGE = Language(
    code="ms",
    name="Malay",
    scripts=("Latin",),
    keyboard=("", "qwertyuiop", "asdfghjkl", "zxcvbnm"),
    casing="default",
    sources=(
        "keyboard: xkeyboard-config, layout us basic",
        "punctuation: standard orthography",
    ),
)
