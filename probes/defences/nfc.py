"""NFC: letters and their marks composed."""

from __future__ import annotations

import unicodedata


def nfc(text: str) -> tuple[str, ...]:
    """Write letters and their marks in Unicode's composed form (NFC)."""
    return (unicodedata.normalize("NFC", text),)
