"""Case: a word is shouted, whispered, or gets its first letter's case wrong."""

from __future__ import annotations

from collections.abc import Iterator

from probes.languages import Language
from probes.perturbations import perturbation
from probes.scripts.casing import lower, upper
from probes.text import units, words
from probes.types import Edit


@perturbation(unit="word", needs="letter case")
def case(text: str, language: Language) -> Iterator[Edit]:
    """A word is written in capitals, in small letters, or with the other case of its first letter."""
    for start, end in words(text, language):
        word = text[start:end]
        first = units(text, (start, end))[0][1] - start
        toggled = upper(word[:first], language) if word[:1].islower() else lower(word[:first], language)
        variants = (upper(word, language), lower(word, language), toggled + word[first:])
        yield from (Edit(start, end, variant) for variant in dict.fromkeys(variants) if variant != word)
