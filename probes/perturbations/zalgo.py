"""Zalgo: a small stack of marks on a letter."""

from __future__ import annotations

from collections.abc import Iterator

from probes.languages import Language
from probes.perturbations import perturbation
from probes.scripts.writing import ALPHABETS
from probes.text import letters, script_of
from probes.types import Edit

# One to three marks that no alphabet uses and no letter composes with, so that none becomes another letter.
STACKS = ("\u0352", "\u0347", "\u0346\u0353", "\u0357\u0352\u035a")


@perturbation(unit="grapheme", needs="an alphabet that takes marks")
def zalgo(text: str, language: Language) -> Iterator[Edit]:
    """A letter gets a stack of one to three combining marks; never where marks are vowels."""
    for word in letters(text, language):
        for start, end in word:
            if script_of(text[start]) in ALPHABETS:
                yield from (Edit(start, end, text[start:end] + stack) for stack in STACKS)
