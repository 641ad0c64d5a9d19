"""Afrikaans."""

from probes.languages import Language

LANGUAGE = Language(
    code="af",
    name="Afrikaans",
    scripts=("Latin",),
    keyboard=("za",),
    marked="êëéèôûîïö",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
