"""Word repeat: a word is written twice."""

from __future__ import annotations

from collections.abc import Iterator

from probes.languages import Language
from probes.perturbations import perturbation
from probes.text import words
from probes.types import Edit


@perturbation(unit="word")
def word_repeat(text: str, language: Language) -> Iterator[Edit]:
    """A word is written twice, with a space between where the language sets one."""
    space = " " if language.spaces else ""
    for start, end in words(text, language):
        yield Edit(end, end, space + text[start:end])
