"""Drop: a letter of a word is left out."""

from __future__ import annotations

from collections.abc import Iterator

from probes.languages import Language
from probes.perturbations import perturbation
from probes.text import letters
from probes.types import Edit


@perturbation(unit="grapheme")
def drop(text: str, language: Language) -> Iterator[Edit]:
    """A letter of a word is left out; a word of one letter is left alone."""
    for word in letters(text, language):
        yield from (Edit(start, end, "") for start, end in word if len(word) > 1)
