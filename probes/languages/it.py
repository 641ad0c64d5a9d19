"""Italian."""

from probes.languages import Language

LANGUAGE = Language(
    code="it",
    name="Italian",
    scripts=("Latin",),
    keyboard=("it",),
    marked="àèéìòù",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
