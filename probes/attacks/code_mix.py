"""Code-mixing from left to right, after PolyGloss (Tan and Joty 2021, "Code-Mixing on Sesame Street").

A beam walks through the words and leaves each as it is or replaces it. Meant for the edits of `code_mix:FOLDER`
(translations out of bilingual lexicons), and with field = "both" for both sides of a pair, as theirs. Ours: of two sets
that hurt alike the smaller one stays, and the walk ends at the first flip.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from probes.searching.search import extensions, ranked, trials, untouched
from probes.types import Accept, Attempt, Edit, Item, Oracle

WIDTH = 3


def code_mix(
    item: Item, label: int, edits: Sequence[Edit], oracle: Oracle, accept: Accept, rng: np.random.Generator
) -> Attempt:
    """Walk through the words with the 3 most harmful sets of edits, trying every replacement of every word."""
    front = [untouched(item, label, oracle)]
    for _, there in groupby(sorted(edits), key=lambda edit: edit.start):
        offered = list(there)
        candidates = [wider for trial in front for wider in extensions(item, trial.edits, offered, accept)]
        front = ranked([*front, *trials(item, label, candidates, oracle)])[:WIDTH]
        if front[0].fooled:
            break
    return Attempt(front[0].edits, front[0].fooled, oracle.queries)
