"""Basque."""

from probes.languages import Language

LANGUAGE = Language(
    code="eu",
    name="Basque",
    scripts=("Latin",),
    keyboard=("es",),
    marked="ñ",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
