"""Invisible: a character that shows nothing slips in between two letters."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from probes.languages import Language
from probes.perturbations import perturbation
from probes.scripts.writing import SEPARATE
from probes.text import letters, script_of
from probes.types import Edit

# Format characters that no script needs for its shaping: zero-width space, word joiner, the four invisible operators,
# zero-width no-break space.
INVISIBLE = "\u200b\u2060\u2061\u2062\u2063\u2064\ufeff"
# Two joiners and the grapheme joiner: Persian and Indic texts need them, elsewhere they show nothing.
JOINERS = "\u200c\u200d\u034f"


@perturbation(unit="grapheme")
def invisible(text: str, language: Language) -> Iterator[Edit]:
    """A character that shows nothing slips in between two letters: a space of no width, an unseen operator, a joiner.

    Boucher et al. 2021, "Bad Characters: Imperceptible NLP Attacks".
    """
    for word in letters(text, language):
        for (start, middle), (other, _) in pairwise(word):
            if middle == other:
                yield from (Edit(middle, middle, mark) for mark in INVISIBLE)
                # A joiner belongs to the grapheme before it.
                if {script_of(text[start]), script_of(text[other])} <= SEPARATE:
                    yield from (Edit(start, middle, text[start:middle] + mark) for mark in JOINERS)
