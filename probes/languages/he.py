"""Hebrew."""

from probes.languages import Language

LANGUAGE = Language(
    code="he",
    name="Hebrew",
    scripts=("Hebrew",),
    keyboard=("il",),
    marks="\u05b0\u05b1\u05b2\u05b3\u05b4\u05b5\u05b6\u05b7\u05b8\u05b9\u05ba\u05bb\u05bc\u05c1\u05c2\u05c7",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: vowel points, which everyday writing leaves out",
        "punctuation: standard orthography",
    ),
)
