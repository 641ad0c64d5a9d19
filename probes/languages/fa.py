"""Persian."""

from probes.languages import Language

LANGUAGE = Language(
    code="fa",
    name="Persian",
    scripts=("Arabic",),
    keyboard=("ir",),
    marked="آأ",
    marks="\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652\u0670",
    punctuation=".،!؟؛:",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: hamza and madda seats and short vowels, which everyday writing leaves out",
        "punctuation: standard orthography",
    ),
)
