"""NFKC: composed, and compatibility characters as what they stand for."""

from __future__ import annotations

import unicodedata


def nfkc(text: str) -> tuple[str, ...]:
    """Compose letters, and write full width, ligatures and letters of mathematics as the plain ones (NFKC)."""
    return (unicodedata.normalize("NFKC", text),)
