"""Nepali."""

from probes.languages import Language

LANGUAGE = Language(
    code="ne",
    name="Nepali",
    scripts=("Devanagari",),
    keyboard=("np",),
    punctuation="।,!?;:",
    without=("marks",),
    sources=(
        "keyboard: xkeyboard-config",
        "punctuation: standard orthography",
    ),
)
