"""Skeleton: one letter for all that look alike."""

from __future__ import annotations

import unicodedata

from probes.scripts.homoglyphs import twins


def skeleton(text: str) -> tuple[str, ...]:
    """Write every letter as one of those that look like it, an ASCII one if there is one (after UTS #39).

    That rewrites Cyrillic and Greek as well: see what it costs them.
    """
    parts = unicodedata.normalize("NFD", text)
    return (unicodedata.normalize("NFC", "".join(min((char, *twins(char))) for char in parts)),)
