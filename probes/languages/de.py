"""German."""

from probes.languages import Language

LANGUAGE = Language(
    code="de",
    name="German",
    scripts=("Latin",),
    keyboard=("de",),
    marked="äöü",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
