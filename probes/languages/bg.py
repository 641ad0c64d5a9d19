"""Bulgarian."""

from probes.languages import Language

LANGUAGE = Language(
    code="bg",
    name="Bulgarian",
    scripts=("Cyrillic",),
    keyboard=("bg",),
    marked="ѝ",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
