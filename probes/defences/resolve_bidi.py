"""Resolve bidi: letters in the order in which they are shown, without the controls that order them."""

from __future__ import annotations

import unicodedata

import regex

# An innermost override of letters of one direction, shown backwards: \u202e of left-to-right ones, \u202d of others.
_OVERRIDE = regex.compile("([\u202d\u202e])([^\u202a-\u202e]*)\u202c")
_CONTROL = regex.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")


def resolve_bidi(text: str) -> tuple[str, ...]:
    """Put letters inside directional overrides in the order they are shown in, and take out directional controls."""
    while (shown := _OVERRIDE.sub(_shown, text)) != text:
        text = shown
    return (_CONTROL.sub("", text),)


def _shown(found: regex.Match[str]) -> str:
    """What an override shows, in the order in which its letters are read."""
    letters = regex.findall(r"\X", found[2])
    ways = {unicodedata.bidirectional(letter[0]) for letter in letters} & {"L", "R", "AL"}
    backwards = ways == {"L"} if found[1] == "\u202e" else bool(ways) and "L" not in ways
    return "".join(reversed(letters)) if backwards else str(found[2])
