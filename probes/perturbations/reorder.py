"""Reorder: two letters change places in the text, and unseen controls show them in their old order."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from probes.languages import Language
from probes.perturbations import perturbation
from probes.scripts.writing import SEPARATE
from probes.text import letters, script_of
from probes.types import Edit

LEFT_TO_RIGHT, RIGHT_TO_LEFT, POP = "\u202d\u202e\u202c"


@perturbation(unit="grapheme", needs="letters that keep their shape")
def reorder(text: str, language: Language) -> Iterator[Edit]:
    """Two letters change places between bidirectional overrides that show them in their old order.

    The reorderings of Boucher et al. 2021; not where letters take their shape from their neighbours.
    """
    for word in letters(text, language):
        for (start, middle), (other, end) in pairwise(word):
            ways = {unicodedata.bidirectional(text[offset]) for offset in (start, other)}
            separate = {script_of(text[start]), script_of(text[other])} <= SEPARATE
            if middle == other and separate and len(ways) == 1:
                override = RIGHT_TO_LEFT if ways == {"L"} else LEFT_TO_RIGHT
                yield Edit(start, end, override + text[middle:end] + text[start:middle] + POP)
