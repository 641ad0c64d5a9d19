"""Diacritics: a mark that people often leave out is left out, or the wrong one is set."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from probes.languages import Language
from probes.perturbations import perturbation
from probes.scripts.casing import lower, match_case
from probes.scripts.marks import by_plain, plain
from probes.text import letters
from probes.types import Edit


@perturbation(unit="grapheme", needs="marks people leave out")
def diacritics(text: str, language: Language) -> Iterator[Edit]:
    """A mark that people often leave out is left out, or the wrong one is set; never a vowel of an abugida."""
    for word in letters(text, language):
        for start, end in word:
            unit = text[start:end]
            letter = lower(unicodedata.normalize("NFC", unit), language)
            if len(letter) == 1 and letter in language.marked:
                bare = plain(letter)
                for other in (bare, *by_plain(language.marked)[bare]):
                    if other != letter:
                        yield Edit(start, end, match_case(unit, other, language))
            elif any(mark in (parts := unicodedata.normalize("NFD", unit)) for mark in language.marks):
                bare = "".join(part for part in parts if part not in language.marks)
                yield Edit(start, end, unicodedata.normalize("NFC", bare))
