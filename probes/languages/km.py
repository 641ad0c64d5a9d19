"""Khmer."""

from probes.languages import Language

LANGUAGE = Language(
    code="km",
    name="Khmer",
    scripts=("Khmer",),
    keyboard=("kh",),
    punctuation="។!?",
    spaces=False,
    without=("marks",),
    sources=(
        "keyboard: xkeyboard-config",
        "punctuation: standard orthography",
    ),
)
