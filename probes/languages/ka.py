"""Georgian."""

from probes.languages import Language

LANGUAGE = Language(
    code="ka",
    name="Georgian",
    scripts=("Georgian",),
    keyboard=("ge",),
    without=("marks",),
    sources=(
        "keyboard: xkeyboard-config",
        "punctuation: standard orthography",
    ),
)
