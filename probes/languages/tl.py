"""Tagalog."""

from probes.languages import Language

LANGUAGE = Language(
    code="tl",
    name="Tagalog",
    scripts=("Latin",),
    keyboard=("ph",),
    marked="áéíóúñ",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
