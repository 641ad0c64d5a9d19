"""Sinhala."""

from probes.languages import Language

LANGUAGE = Language(
    code="si",
    name="Sinhala",
    scripts=("Sinhala",),
    keyboard=("", "ුඅැරඑහමසදචඤ", "්ිාෙටයවනකත", " ංජඩඉබපලග"),
    shift=("", "ූඋෑඍඔශඹෂධඡඥ", "ෟීෘෆඨ  ණඛථ", " ඃඣඪඊභඵළඝ"),
    sources=(
        "keyboard: xkeyboard-config, layout lk basic (Wijesekara)",
        "punctuation: standard orthography",
    ),
)
