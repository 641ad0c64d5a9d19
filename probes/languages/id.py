"""Indonesian."""

from probes.languages import Language

LANGUAGE = Language(
    code="id",
    name="Indonesian",
    scripts=("Latin",),
    keyboard=("id",),
    casing="default",
    without=("marks",),
    sources=(
        "keyboard: xkeyboard-config",
        "punctuation: standard orthography",
    ),
)
