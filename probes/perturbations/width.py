"""Width: letters and digits in their full width, katakana in half of it, or the other way round."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from probes.languages import Language
from probes.perturbations import perturbation
from probes.text import graphemes
from probes.types import Edit

_HALF = {unicodedata.normalize("NFKC", chr(code)): chr(code) for code in range(0xFF66, 0xFFA0)}
_FULL = {chr(code): chr(code + 0xFEE0) for code in range(ord("0"), ord("z") + 1) if chr(code).isalnum()}
_OTHER = _FULL | {full: plain for plain, full in _FULL.items()} | _HALF


@perturbation(unit="grapheme")
def width(text: str, language: Language) -> Iterator[Edit]:
    """A letter a to z or a digit in full width, a katakana in half width, or what is so in its usual width."""
    for start, end in graphemes(text):
        unit = text[start:end]
        # A voiced katakana is two characters in half width.
        parts = unicodedata.normalize("NFD", unit)
        if "\uff66" <= unit[0] <= "\uff9f":
            yield Edit(start, end, unicodedata.normalize("NFKC", unit))
        elif all(part in _OTHER for part in parts):
            yield Edit(start, end, "".join(_OTHER[part] for part in parts))
