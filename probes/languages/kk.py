"""Kazakh."""

from probes.languages import Language

LANGUAGE = Language(
    code="kk",
    name="Kazakh",
    scripts=("Cyrillic",),
    keyboard=("kz",),
    marked="әғқңөұүһё",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
