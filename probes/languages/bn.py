"""Bengali."""

from probes.languages import Language

LANGUAGE = Language(
    code="bn",
    name="Bengali",
    scripts=("Bengali",),
    keyboard=("in(ben)",),
    marks="\u09bc",
    punctuation="।,!?;:",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: the dot below, often left out in typing",
        "punctuation: standard orthography",
    ),
)
