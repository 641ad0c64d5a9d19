"""Word order: two neighbouring words change places."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from probes.languages import Language
from probes.perturbations import perturbation
from probes.text import words
from probes.types import Edit


@perturbation(unit="word")
def word_order(text: str, language: Language) -> Iterator[Edit]:
    """Two neighbouring words change places; never across punctuation or a line break."""
    for (start, middle), (other, end) in pairwise(words(text, language)):
        between = text[middle:other]
        if between in ("", " "):
            yield Edit(start, end, text[other:end] + between + text[start:middle])
