"""Hindi."""

from probes.languages import Language

LANGUAGE = Language(
    code="hi",
    name="Hindi",
    scripts=("Devanagari",),
    keyboard=("in",),
    marks="\u093c",
    punctuation="।,!?;:",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: the nukta, often left out in typing",
        "punctuation: standard orthography",
    ),
)
