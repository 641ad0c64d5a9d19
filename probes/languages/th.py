"""Thai."""

from probes.languages import Language

LANGUAGE = Language(
    code="th",
    name="Thai",
    scripts=("Thai",),
    keyboard=("ๅ  ภถุึคตจขช", "ๆไำพะัีรนยบล", "ฟหกดเ้่าสวง", "ผปแอิืทมใฝ"),
    shift=("     ู", "  ฎฑธํ๊ณ ญฐ", "ฤฆฏโฌ็๋ษศซ", "  ฉฮฺ์ ฒฬฦ"),
    punctuation="!?,.",
    spaces=False,
    sources=(
        "keyboard: xkeyboard-config, layout th basic (Kedmanee)",
        "punctuation: standard orthography",
    ),
)
