"""Swap: two neighbouring letters of a word change places."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from probes.languages import Language
from probes.perturbations import perturbation
from probes.text import letters
from probes.types import Edit


@perturbation(unit="grapheme")
def swap(text: str, language: Language) -> Iterator[Edit]:
    """Two neighbouring letters of a word change places."""
    for word in letters(text, language):
        for (start, middle), (other, end) in pairwise(word):
            if middle == other:
                yield Edit(start, end, text[middle:end] + text[start:middle])
