"""Homoglyph: a letter is replaced by one of another script, or of another block, that looks the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from probes.languages import Language
from probes.perturbations import perturbation
from probes.scripts.casing import lower
from probes.scripts.homoglyphs import twins
from probes.scripts.keyboards import typed_letters
from probes.scripts.writing import JOINING
from probes.text import letters, script_of, scripts
from probes.types import Edit


@perturbation(unit="grapheme", needs="letters with look-alikes")
def homoglyph(text: str, language: Language) -> Iterator[Edit]:
    """A letter is replaced by a look-alike with another code point (UTS #39); marks on it stay."""
    for word in letters(text, language):
        for start, end in word:
            unit = text[start:end]
            composed = unicodedata.is_normalized("NFC", unit)
            base, rest = (whole := unicodedata.normalize("NFD", unit) if composed else unit)[0], whole[1:]
            for twin in twins(base):
                if _unnoticed(base, twin, rest, language):
                    yield Edit(start, end, unicodedata.normalize("NFC", twin + rest) if composed else twin + rest)


def _unnoticed(letter: str, twin: str, marks: str, language: Language) -> bool:
    ours, theirs = script_of(letter), script_of(twin)
    if ours == theirs:
        # Whoever writes with both letters tells them apart.
        return lower(twin, language) not in typed_letters(language)
    # A vowel sign finds no seat on a letter of another script.
    return not JOINING & {ours, theirs} and not scripts(marks)
