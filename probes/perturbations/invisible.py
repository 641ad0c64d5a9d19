"""Invisible: a character that shows nothing slips in between two letters."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from probes.languages import Language
from probes.perturbations import perturbation
from probes.text import letters
from probes.types import Edit

# Format characters that no script needs for its shaping (the joiners are left alone: Persian and Indic texts use them):
# zero-width space, word joiner, invisible separator, zero-width no-break space.
INVISIBLE = "\u200b\u2060\u2063\ufeff"


@perturbation(unit="grapheme")
def invisible(text: str, language: Language) -> Iterator[Edit]:
    """A character that shows nothing slips in between two letters.

    Boucher et al. 2021, "Bad Characters: Imperceptible NLP Attacks".
    """
    for word in letters(text, language):
        for (_, middle), (other, _) in pairwise(word):
            if middle == other:
                yield from (Edit(middle, middle, mark) for mark in INVISIBLE)
