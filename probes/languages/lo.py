"""Lao."""

from probes.languages import Language

LANGUAGE = Language(
    code="lo",
    name="Lao",
    scripts=("Lao",),
    keyboard=("ຢຟໂຖຸູຄຕຈຂຊ", "ົໄຳພະິີຮນຍບລ", "ັຫກດເ້່າສວງ", "ຜປແອຶືທມໃຝ"),
    punctuation="!?,.",
    spaces=False,
    sources=(
        "keyboard: xkeyboard-config, layout la basic",
        "punctuation: standard orthography",
    ),
)
