"""Nepali."""

from probes.languages import Language

LANGUAGE = Language(
    code="ne",
    name="Nepali",
    scripts=("Devanagari",),
    keyboard=("", "टौेरतयुिोप", "ासदउगहजकल", "षडछवबनम"),
    shift=("", "ठऔैृथञूीओफ", "आशधऊघअझख", "ऋढचँभणं"),
    punctuation="।,!?;:",
    sources=(
        "keyboard: xkeyboard-config, layout np basic",
        "punctuation: standard orthography",
    ),
)
