"""Galician."""

from probes.languages import Language

LANGUAGE = Language(
    code="gl",
    name="Galician",
    scripts=("Latin",),
    keyboard=("es",),
    marked="áéíóúüñ",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
