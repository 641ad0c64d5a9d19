"""Macedonian."""

from probes.languages import Language

LANGUAGE = Language(
    code="mk",
    name="Macedonian",
    scripts=("Cyrillic",),
    keyboard=("mk",),
    marked="ѓќѐѝ",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
