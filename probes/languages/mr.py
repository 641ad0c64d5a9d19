"""Marathi."""

from probes.languages import Language

LANGUAGE = Language(
    code="mr",
    name="Marathi",
    scripts=("Devanagari",),
    keyboard=("", "ौैाीूबहगदजड", "ोे्िुपरकतचट", " ंमनवलस  य"),
    shift=("", "औऐआईऊभङघधझढञ", "ओएअइउफऱखथछठ", " ँण  ळशष"),
    punctuation=".,!?;:",
    sources=(
        "keyboard: xkeyboard-config, layout in mar (InScript)",
        "punctuation: standard orthography",
    ),
)
