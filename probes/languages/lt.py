"""Lithuanian."""

from probes.languages import Language

LANGUAGE = Language(
    code="lt",
    name="Lithuanian",
    scripts=("Latin",),
    keyboard=("ąčęėįšųū   ž", "qwertyuiop", "asdfghjkl", "zxcvbnm"),
    marked="ąčęėįšųūž",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config, layout lt basic",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
