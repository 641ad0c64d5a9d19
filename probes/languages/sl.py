"""Slovenian."""

from probes.languages import Language

LANGUAGE = Language(
    code="sl",
    name="Slovenian",
    scripts=("Latin",),
    keyboard=("si",),
    marked="čšž",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
