"""Latvian."""

from probes.languages import Language

LANGUAGE = Language(
    code="lv",
    name="Latvian",
    scripts=("Latin",),
    keyboard=("lv",),
    marked="āčēģīķļņšūž",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
