"""Romanise: a word is written in Latin letters, as people do who have no other keyboard at hand."""

from __future__ import annotations

from collections.abc import Iterator

from probes.languages import Language
from probes.perturbations import NEEDS, perturbation
from probes.scripts.romanisation import applies, romanised
from probes.text import words
from probes.types import Edit

NEEDS["a romanisation"] = applies


@perturbation(unit="word", needs="a romanisation")
def romanise(text: str, language: Language) -> Iterator[Edit]:
    """A word is written in Latin letters as in chats: Arabizi, Greeklish, translit, Roman Hindi, pinyin."""
    for start, end in words(text, language):
        yield from (Edit(start, end, latin) for latin in romanised(text[start:end], language))
