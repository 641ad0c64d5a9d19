"""Malay."""

from probes.languages import Language

LANGUAGE = Language(
    code="ms",
    name="Malay",
    scripts=("Latin",),
    keyboard=("us",),
    casing="default",
    without=("marks",),
    sources=(
        "keyboard: xkeyboard-config",
        "punctuation: standard orthography",
    ),
)
