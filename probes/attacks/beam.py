"""Beam search: several sets of edits grow side by side, so that a good pair is found whose first half is dull.

The usual beam over transformations, as in TextAttack (Morris et al. 2020). Ours: after the first round only the edits
that did most harm alone are tried further, which lets a budget of some hundred queries see several rounds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probes.searching.search import extensions, ranked, trials, untouched
from probes.types import Accept, Attempt, Edit, Item, Oracle

# Edits drawn for the first round, edits of it that are tried further, sets kept in a round.
POOL, USEFUL, WIDTH = 48, 12, 4


def beam(
    item: Item, label: int, edits: Sequence[Edit], oracle: Oracle, accept: Accept, rng: np.random.Generator
) -> Attempt:
    """Try a drawn pool of 48 edits, then let the 4 most harmful sets grow by the 12 most harmful edits."""
    pool = [edits[i] for i in sorted(rng.permutation(len(edits))[:POOL])]
    best = untouched(item, label, oracle)
    front = ranked(trials(item, label, extensions(item, (), pool, accept), oracle))
    useful = [trial.edits[0] for trial in front[:USEFUL]]
    while front and front[0].rank < best.rank:
        best = front[0]
        if best.fooled:
            break
        grown = [tuple(sorted(e)) for t in front[:WIDTH] for e in extensions(item, t.edits, useful, accept)]
        front = ranked(trials(item, label, list(dict.fromkeys(grown)), oracle))
    return Attempt(best.edits, best.fooled, oracle.queries)
