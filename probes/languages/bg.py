"""Bulgarian."""

from probes.languages import Language

LANGUAGE = Language(
    code="bg",
    name="Bulgarian",
    scripts=("Cyrillic",),
    keyboard=("", " уеишщксдзц", "ьяаожгтнвмч", "юйъэфхпрлб"),
    marked="ѝ",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config, layout bg bds",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
