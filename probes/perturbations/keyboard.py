"""Keyboard: a key beside the intended one is struck, on the layout of the language."""

from __future__ import annotations

from collections.abc import Iterator

from probes.keyboards import slips
from probes.languages import Language
from probes.perturbations import perturbation
from probes.text import letters
from probes.types import Edit


@perturbation(unit="grapheme", needs="a keyboard layout")
def keyboard(text: str, language: Language) -> Iterator[Edit]:
    """A key beside the intended one is struck, on the layout of the language."""
    for word in letters(text, language):
        for start, end in word:
            yield from (Edit(start, end, slip) for slip in slips(text[start:end], language))
