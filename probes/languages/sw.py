"""Swahili."""

from probes.languages import Language

LANGUAGE = Language(
    code="sw",
    name="Swahili",
    scripts=("Latin",),
    keyboard=("ke",),
    casing="default",
    without=("marks",),
    sources=(
        "keyboard: xkeyboard-config",
        "punctuation: standard orthography",
    ),
)
