"""Kannada."""

from probes.languages import Language

LANGUAGE = Language(
    code="kn",
    name="Kannada",
    scripts=("Kannada",),
    keyboard=("in(kan)",),
    without=("marks",),
    sources=(
        "keyboard: xkeyboard-config",
        "punctuation: standard orthography",
    ),
)
