"""Japanese."""

from probes.languages import Language

LANGUAGE = Language(
    code="ja",
    name="Japanese",
    scripts=("Hiragana", "Katakana", "Han"),
    keyboard=("jp(kana)",),
    punctuation="。、！？",
    spaces=False,
    without=("marks",),
    sources=(
        "keyboard: xkeyboard-config",
        "punctuation: standard orthography",
    ),
)
