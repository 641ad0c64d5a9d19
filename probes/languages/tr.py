"""Turkish."""

from probes.languages import Language

LANGUAGE = Language(
    code="tr",
    name="Turkish",
    scripts=("Latin",),
    keyboard=("tr",),
    marked="çğıöşüâîû",
    casing="turkish",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
