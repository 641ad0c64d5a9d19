"""Portuguese."""

from probes.languages import Language

LANGUAGE = Language(
    code="pt",
    name="Portuguese",
    scripts=("Latin",),
    keyboard=("", "qwertyuiop", "asdfghjklç", "zxcvbnm"),
    marked="áâãàçéêíóôõú",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config, layout br abnt2",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
