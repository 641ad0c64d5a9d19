"""Amharic."""

from probes.languages import Language

LANGUAGE = Language(
    code="am",
    name="Amharic",
    scripts=("Ethiopic",),
    keyboard=("et",),
    punctuation="።፣፤",
    without=("marks",),
    sources=(
        "keyboard: xkeyboard-config",
        "punctuation: standard orthography",
    ),
)
