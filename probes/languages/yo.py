"""Yoruba."""

from probes.languages import Language

LANGUAGE = Language(
    code="yo",
    name="Yoruba",
    scripts=("Latin",),
    keyboard=("ng(yoruba)",),
    marked="àáèéẹìíòóọṣùúǹńḿ",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
