"""Mongolian."""

from probes.languages import Language

LANGUAGE = Language(
    code="mn",
    name="Mongolian",
    scripts=("Cyrillic",),
    keyboard=("", "фцужэнгшүзкъ", "йыбөахролдп", "ячёсмитьвю"),
    marked="өүё",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config, layout mn basic",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
