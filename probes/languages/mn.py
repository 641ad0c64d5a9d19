"""Mongolian."""

from probes.languages import Language

LANGUAGE = Language(
    code="mn",
    name="Mongolian",
    scripts=("Cyrillic",),
    keyboard=("mn",),
    marked="өүё",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
