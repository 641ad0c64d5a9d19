"""Homoglyph: a letter is replaced by one of another script, or of another block, that looks the same."""

from __future__ import annotations

from collections.abc import Iterator

from probes.homoglyphs import HOMOGLYPHS
from probes.languages import Language
from probes.perturbations import perturbation
from probes.text import letters, script_of
from probes.types import Edit


@perturbation(unit="grapheme", needs="look-alikes in another script")
def homoglyph(text: str, language: Language) -> Iterator[Edit]:
    """A letter is replaced by a look-alike with another code point; marks on it stay."""
    for word in letters(text, language):
        for start, end in word:
            twins = HOMOGLYPHS.get(script_of(text[start]), {}).get(text[start], "")
            yield from (Edit(start, end, twin + text[start + 1 : end]) for twin in twins)
