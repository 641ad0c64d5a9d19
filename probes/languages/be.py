"""Belarusian."""

from probes.languages import Language

LANGUAGE = Language(
    code="be",
    name="Belarusian",
    scripts=("Cyrillic",),
    keyboard=("", "йцукенгшўзх", "фывапролджэ", "ячсмітьбю"),
    marked="ўё",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config, layout by basic",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
