"""Norwegian Bokmål."""

from probes.languages import Language

LANGUAGE = Language(
    code="nb",
    name="Norwegian Bokmål",
    scripts=("Latin",),
    keyboard=("no",),
    marked="åøéò",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
