"""Albanian."""

from probes.languages import Language

LANGUAGE = Language(
    code="sq",
    name="Albanian",
    scripts=("Latin",),
    keyboard=("al",),
    marked="çë",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
