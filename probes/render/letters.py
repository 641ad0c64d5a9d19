"""Which letters were changed: a text cut into what stayed and what was edited, with the unseen spelled out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from probes.types import Edit

# Line breaks and tabs stay; U+FFFE, U+FFFF and halves of characters are forbidden in XML as well.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Zl", "Zp", "Zs"})


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a text; where it was not edited, old and new are the same."""

    old: str
    new: str
    edited: bool

    @property
    def names(self) -> str:
        """The Unicode names of what was put in, for letters that look like others."""
        return ", ".join(f"{_code(char)} {unicodedata.name(char, '')}".strip() for char in self.new)


def segments(before: str, edits: Iterable[Edit]) -> list[Segment]:
    """The text before, cut at its edits."""
    found: list[Segment] = []
    done = 0
    for edit in sorted(edits):
        if edit.start > done:
            found.append(Segment(before[done : edit.start], before[done : edit.start], False))
        found.append(Segment(before[edit.start : edit.end], edit.new, True))
        done = edit.end
    if done < len(before):
        found.append(Segment(before[done:], before[done:], False))
    return found


def spell(text: str) -> str:
    """The text with a space as an open box and what cannot be seen as its code point (U+200B)."""
    return "".join("␣" if char == " " else _code(char) if _unseen(char) else char for char in text)


def visible(text: str) -> str:
    """The text with the control characters that no XML can hold as their pictures (␈), or else as code points."""
    return _CONTROL.sub(lambda found: _picture(found[0]), text)


def _picture(char: str) -> str:
    code = ord(char)
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else _code(char)


def _unseen(char: str) -> bool:
    return unicodedata.category(char) in _UNSEEN or "\ufe00" <= char <= "\ufe0f"


def _code(char: str) -> str:
    return f"U+{ord(char):04X}"
