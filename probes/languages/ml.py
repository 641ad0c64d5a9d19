"""Malayalam."""

from probes.languages import Language

LANGUAGE = Language(
    code="ml",
    name="Malayalam",
    scripts=("Malayalam",),
    keyboard=("", "ൗൈാീൂബഹഗദജഡ", "ോേ്ിുപരകതചട", "െംമനവലസ  യ"),
    shift=("", "ഔഐആഈഊഭങഘധഝഢഞ", "ഓഏഅഇഉഫറഖഥഛഠ", "എ ണ ഴളശഷ"),
    sources=(
        "keyboard: xkeyboard-config, layout in mal (InScript)",
        "punctuation: standard orthography",
    ),
)
