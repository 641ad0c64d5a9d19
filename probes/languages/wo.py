"""Wolof."""

from probes.languages import Language

LANGUAGE = Language(
    code="wo",
    name="Wolof",
    scripts=("Latin",),
    keyboard=("sn",),
    marked="àéëñóŋ",
    casing="default",
    sample="Xale yi ñu ngi fo ci ëttu lekkool bi suba su nekk, di ñëw.",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
