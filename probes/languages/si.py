"""Sinhala."""

from probes.languages import Language

LANGUAGE = Language(
    code="si",
    name="Sinhala",
    scripts=("Sinhala",),
    keyboard=("lk",),
    without=("marks",),
    sources=(
        "keyboard: xkeyboard-config",
        "punctuation: standard orthography",
    ),
)
