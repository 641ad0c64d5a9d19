"""Azerbaijani."""

from probes.languages import Language

LANGUAGE = Language(
    code="az",
    name="Azerbaijani",
    scripts=("Latin",),
    keyboard=("az",),
    marked="çəğıöşü",
    casing="turkish",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
