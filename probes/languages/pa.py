"""Punjabi."""

from probes.languages import Language

LANGUAGE = Language(
    code="pa",
    name="Punjabi",
    scripts=("Gurmukhi",),
    keyboard=("in(guru)",),
    marks="\u0a3c",
    punctuation="।,!?;:",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: the nukta, often left out in typing",
        "punctuation: standard orthography",
    ),
)
