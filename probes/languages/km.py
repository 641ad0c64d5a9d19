"""Khmer."""

from probes.languages import Language

LANGUAGE = Language(
    code="km",
    name="Khmer",
    scripts=("Khmer",),
    keyboard=("", "ឆឹេរតយុិោផៀឪ", "ាសដថងហ្កលើ់", "ឋខចវបនម"),
    shift=("", "ឈឺែឬទួូីៅភ", " ៃឌធអះញគឡ ៉", "ឍឃជ ពណំ"),
    punctuation="។!?",
    spaces=False,
    sources=(
        "keyboard: xkeyboard-config, layout kh basic (NiDA)",
        "punctuation: standard orthography",
    ),
)
