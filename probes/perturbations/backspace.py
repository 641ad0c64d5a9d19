"""Backspace: a wrong letter is typed and taken back, and both are still in the text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from probes.languages import Language
from probes.perturbations import perturbation
from probes.text import letters
from probes.types import Edit

ERASERS = "\b\x7f"


@perturbation(unit="grapheme")
def backspace(text: str, language: Language) -> Iterator[Edit]:
    """The last letter of a word comes too early and is taken back by a control character: backspace or delete.

    The deletions of Boucher et al. 2021; nothing shows only where control characters are obeyed.
    """
    for word in letters(text, language):
        for (_, middle), (other, _) in pairwise(word):
            if middle == other:
                hasty = text[word[-1][0]]
                yield from (Edit(middle, middle, hasty + eraser) for eraser in ERASERS)
