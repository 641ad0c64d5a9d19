"""Script variant: a word in the other script of its language."""

from __future__ import annotations

from collections.abc import Iterator

from probes.languages import Language
from probes.perturbations import perturbation
from probes.scripts.script_variants import variant
from probes.text import words
from probes.types import Edit


@perturbation(unit="word", needs="a second script")
def script_variant(text: str, language: Language) -> Iterator[Edit]:
    """A word is written in the language's other script: traditional or simplified, Cyrillic or Latin."""
    for start, end in words(text, language):
        if (other := variant(text[start:end], language)) is not None:
            yield Edit(start, end, other)
