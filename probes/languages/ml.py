"""Malayalam."""

from probes.languages import Language

LANGUAGE = Language(
    code="ml",
    name="Malayalam",
    scripts=("Malayalam",),
    keyboard=("in(mal)",),
    without=("marks",),
    sources=(
        "keyboard: xkeyboard-config",
        "punctuation: standard orthography",
    ),
)
