"""Norwegian Bokmål."""

from probes.languages import Language

LANGUAGE = Language(
    code="nb",
    name="Norwegian Bokmål",
    scripts=("Latin",),
    keyboard=("", "qwertyuiopå", "asdfghjkløæ", "zxcvbnm"),
    marked="åøéò",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config, layout no basic",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
