"""Lao."""

from probes.languages import Language

LANGUAGE = Language(
    code="lo",
    name="Lao",
    scripts=("Lao",),
    keyboard=("la",),
    punctuation="!?,.",
    spaces=False,
    without=("marks",),
    sources=(
        "keyboard: xkeyboard-config",
        "punctuation: standard orthography",
    ),
)
