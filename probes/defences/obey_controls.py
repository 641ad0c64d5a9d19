"""Obey controls: what a backspace takes back is taken back."""

from __future__ import annotations

import regex

_ERASED = regex.compile("[^\b\x7f\r\n][\b\x7f]")
_CONTROL = regex.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def obey_controls(text: str) -> tuple[str, ...]:
    """Take back the character before each backspace or delete, and take out other control characters."""
    while (left := _ERASED.sub("", text)) != text:
        text = left
    return (_CONTROL.sub("", text),)
