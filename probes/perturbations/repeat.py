"""Repeat: a letter is typed twice."""

from __future__ import annotations

from collections.abc import Iterator

from probes.languages import Language
from probes.perturbations import perturbation
from probes.text import letters
from probes.types import Edit


@perturbation(unit="grapheme")
def repeat(text: str, language: Language) -> Iterator[Edit]:
    """A letter is typed twice."""
    for word in letters(text, language):
        for start, end in word:
            yield Edit(start, end, 2 * text[start:end])
