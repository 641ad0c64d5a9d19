"""Tamil."""

from probes.languages import Language

LANGUAGE = Language(
    code="ta",
    name="Tamil",
    scripts=("Tamil",),
    keyboard=("", "ௌைாீூ ஹ  ஜ", "ோே்ிுபரகதசட", "ெ மநவலஸ  ய"),
    shift=("", "ஔஐஆஈஊ ங    ஞ", "ஓஏஅஇஉ ற", "எ ணனழள ஷ"),
    sources=(
        "keyboard: xkeyboard-config, layout in tam (InScript)",
        "punctuation: standard orthography",
    ),
)
