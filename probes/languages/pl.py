"""Polish."""

from probes.languages import Language

LANGUAGE = Language(
    code="pl",
    name="Polish",
    scripts=("Latin",),
    keyboard=("pl",),
    marked="ąćęłńóśźż",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
