"""Wrong candidate: of the words an input method offers for the keys, the wrong one is taken."""

from __future__ import annotations

from collections.abc import Iterator

from probes.languages import Language
from probes.perturbations import NEEDS, perturbation
from probes.scripts.homophones import codes, offered
from probes.types import Edit

NEEDS["an input method of candidates"] = lambda language: language.code in codes()


@perturbation(unit="word", needs="an input method of candidates")
def wrong_candidate(text: str, language: Language) -> Iterator[Edit]:
    """A word becomes another of the same or nearly the same sound, as pinyin or kana conversion offers it."""
    for start, end, others in offered(text, language.code):
        yield from (Edit(start, end, other) for other in others)
