"""Lithuanian."""

from probes.languages import Language

LANGUAGE = Language(
    code="lt",
    name="Lithuanian",
    scripts=("Latin",),
    keyboard=("lt",),
    marked="ąčęėįšųūž",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
