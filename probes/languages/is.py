"""Icelandic."""

from probes.languages import Language

LANGUAGE = Language(
    code="is",
    name="Icelandic",
    scripts=("Latin",),
    keyboard=("is",),
    marked="áéíóúýö",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
