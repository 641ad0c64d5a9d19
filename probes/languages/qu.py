"""Quechua."""

from probes.languages import Language

LANGUAGE = Language(
    code="qu",
    name="Quechua",
    scripts=("Latin",),
    keyboard=("latam",),
    marked="ñ",
    casing="default",
    sample="Wawakunaqa sapa paqarin yachay wasi pampapi pukllachkanku, ñañaypas.",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
