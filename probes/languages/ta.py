"""Tamil."""

from probes.languages import Language

LANGUAGE = Language(
    code="ta",
    name="Tamil",
    scripts=("Tamil",),
    keyboard=("in(tam)",),
    without=("marks",),
    sources=(
        "keyboard: xkeyboard-config",
        "punctuation: standard orthography",
    ),
)
