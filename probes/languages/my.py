"""Burmese."""

from probes.languages import Language

LANGUAGE = Language(
    code="my",
    name="Burmese",
    scripts=("Myanmar",),
    keyboard=("mm",),
    punctuation="။၊",
    spaces=False,
    without=("marks",),
    sources=(
        "keyboard: xkeyboard-config",
        "punctuation: standard orthography",
    ),
)
