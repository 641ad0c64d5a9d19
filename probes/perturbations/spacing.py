"""Spacing: a space set or lost where a script without spaces between words lets its readers choose."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from probes.languages import Language
from probes.perturbations import perturbation
from probes.text import script_of, words
from probes.types import Edit

UNSEEN = "\u200b"
_CJK = frozenset(("Han", "Hiragana", "Katakana"))


@perturbation(unit="word", needs="writing without spaces")
def spacing(text: str, language: Language) -> Iterator[Edit]:
    """A space is set or lost where both are right: beside Latin letters and digits, or unseen between syllables.

    In Chinese and Japanese the space stands between scripts, plain or ideographic; in Thai, Lao, Khmer and Burmese
    also as a zero-width space where a line may break.
    """
    for (first, start), (end, _) in pairwise(words(text, language)):
        left, right = script_of(text[first]), script_of(text[end])
        between = text[start:end]
        foreign = (left in language.scripts) is not (right in language.scripts)
        if between in (" ", "\u3000", UNSEEN) and (foreign or between == UNSEEN):
            yield Edit(start, end, "")
        elif not between and foreign:
            yield Edit(start, end, " ")
            if _CJK & {left, right}:
                yield Edit(start, end, "\u3000")
        elif not between and left == right and left not in _CJK:
            yield Edit(start, end, UNSEEN)
