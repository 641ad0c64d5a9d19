"""Armenian."""

from probes.languages import Language

LANGUAGE = Language(
    code="hy",
    name="Armenian",
    scripts=("Armenian",),
    keyboard=("am(phonetic)",),
    punctuation="։,՝",
    casing="default",
    without=("marks",),
    sources=(
        "keyboard: xkeyboard-config",
        "punctuation: standard orthography",
    ),
)
