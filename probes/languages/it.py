"""Italian."""

from probes.languages import Language

LANGUAGE = Language(
    code="it",
    name="Italian",
    scripts=("Latin",),
    keyboard=("           ì", "qwertyuiopè", "asdfghjklòàù", "zxcvbnm"),
    marked="àèéìòù",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config, layout it basic",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
