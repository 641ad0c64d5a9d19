"""Portuguese."""

from probes.languages import Language

LANGUAGE = Language(
    code="pt",
    name="Portuguese",
    scripts=("Latin",),
    keyboard=("br",),
    marked="áâãàçéêíóôõú",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
