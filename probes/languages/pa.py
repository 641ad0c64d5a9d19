"""Punjabi."""

from probes.languages import Language

LANGUAGE = Language(
    code="pa",
    name="Punjabi",
    scripts=("Gurmukhi",),
    keyboard=("", "ੌੈਾੀੂਬਹਗਦਜਡ", "ੋੇ੍ਿੁਪਰਕਤਚਟ", " ੰਮਨਵਲਸ  ਯ"),
    shift=("", "ਔਐਆਈਊਭਙਘਧਝਢਞ", "ਓਏਅਇਉਫ ਖਥਛਠ", " ਂਣ"),
    marks="\u0a3c",
    punctuation="।,!?;:",
    sources=(
        "keyboard: xkeyboard-config, layout in guru (InScript)",
        "marks: the nukta, often left out in typing",
        "punctuation: standard orthography",
    ),
)
