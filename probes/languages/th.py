"""Thai."""

from probes.languages import Language

LANGUAGE = Language(
    code="th",
    name="Thai",
    scripts=("Thai",),
    keyboard=("th",),
    punctuation="!?,.",
    spaces=False,
    without=("marks",),
    sources=(
        "keyboard: xkeyboard-config",
        "punctuation: standard orthography",
    ),
)
