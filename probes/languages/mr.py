"""Marathi."""

from probes.languages import Language

LANGUAGE = Language(
    code="mr",
    name="Marathi",
    scripts=("Devanagari",),
    keyboard=("in",),
    punctuation=".,!?;:",
    without=("marks",),
    sources=(
        "keyboard: xkeyboard-config",
        "punctuation: standard orthography",
    ),
)
