"""Korean."""

from probes.languages import Language

LANGUAGE = Language(
    code="ko",
    name="Korean",
    scripts=("Hangul",),
    keyboard=("", "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ", "ㅁㄴㅇㄹㅎㅗㅓㅏㅣ", "ㅋㅌㅊㅍㅠㅜㅡ"),
    sources=(
        "keyboard: xkeyboard-config, layout kr basic (Dubeolsik)",
        "punctuation: standard orthography",
    ),
)
