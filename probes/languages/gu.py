"""Gujarati."""

from probes.languages import Language

LANGUAGE = Language(
    code="gu",
    name="Gujarati",
    scripts=("Gujarati",),
    keyboard=("in(guj)",),
    without=("marks",),
    sources=(
        "keyboard: xkeyboard-config",
        "punctuation: standard orthography",
    ),
)
