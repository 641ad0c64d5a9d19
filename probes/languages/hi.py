"""Hindi."""

from probes.languages import Language

LANGUAGE = Language(
    code="hi",
    name="Hindi",
    scripts=("Devanagari",),
    keyboard=("", "ौैाीूबहगदजड", "ोे्िुपरकतचट", " ंमनवलस  य"),
    shift=("", "औऐआईऊभङघधझढञ", "ओएअइउफऱखथछठ", " ँण  ळशष"),
    marks="\u093c",
    punctuation="।,!?;:",
    sources=(
        "keyboard: xkeyboard-config, layout in hin (InScript)",
        "marks: the nukta, often left out in typing",
        "punctuation: standard orthography",
    ),
)
