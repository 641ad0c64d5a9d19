"""Belarusian."""

from probes.languages import Language

LANGUAGE = Language(
    code="be",
    name="Belarusian",
    scripts=("Cyrillic",),
    keyboard=("by",),
    marked="ўё",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
