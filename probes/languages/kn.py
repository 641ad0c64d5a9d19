"""Kannada."""

from probes.languages import Language

LANGUAGE = Language(
    code="kn",
    name="Kannada",
    scripts=("Kannada",),
    keyboard=("", "ೌೈಾೀೂಬಹಗದಜಡ", "ೋೇ್ಿುಪರಕತಚಟ", "ೆಂಮನವಲಸ  ಯ"),
    shift=("", "ಔಐಆಈಊಭಙಘಧಝಢಞ", "ಓಏಅಇಉಫಱಖಥಛಠ", "ಎ ಣ  ಳಶಷ"),
    sources=(
        "keyboard: xkeyboard-config, layout in kan (InScript)",
        "punctuation: standard orthography",
    ),
)
