"""Macedonian."""

from probes.languages import Language

LANGUAGE = Language(
    code="mk",
    name="Macedonian",
    scripts=("Cyrillic",),
    keyboard=("", "љњертѕуиопшѓ", "асдфгхјклчќж", "зџцвбнм"),
    marked="ѓќѐѝ",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config, layout mk basic",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
