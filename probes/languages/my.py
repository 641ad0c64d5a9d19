"""Burmese."""

from probes.languages import Language

LANGUAGE = Language(
    code="my",
    name="Burmese",
    scripts=("Myanmar",),
    keyboard=("", "ဆတနမအပကငသစဟ", "\u1031\u103b\u102d\u103a\u102b\u1037\u103c\u102f\u1030\u1038", "ဖထခလဘညာ"),
    punctuation="။၊",
    spaces=False,
    sources=(
        "keyboard: xkeyboard-config, layout mm basic (Myanmar3)",
        "punctuation: standard orthography",
    ),
)
