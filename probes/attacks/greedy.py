"""Greedy search: in every round the one edit that hurts the label most is kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probes.search import extensions, strongest
from probes.types import Accept, Attempt, Edit, Item, Oracle

# Every round asks for each remaining edit once: more of them than this and the budget never sees a second round.
POOL = 48


def greedy(
    item: Item, label: int, edits: Sequence[Edit], oracle: Oracle, accept: Accept, rng: np.random.Generator
) -> Attempt:
    """In every round try each remaining edit (of a drawn pool of 48) and keep the one that hurts the label most."""
    order = rng.permutation(len(edits))[:POOL]
    pool = [edits[i] for i in sorted(order)]
    done: tuple[Edit, ...] = ()
    probability = float(oracle([item])[0][label])
    while candidates := extensions(item, done, pool, accept):
        best = strongest(item, label, candidates, oracle)
        if best is None or (best.probability >= probability and not best.fooled):
            break
        if best.fooled:
            return Attempt(best.edits, True, oracle.queries)
        done, probability = best.edits, best.probability
    return Attempt(done, False, oracle.queries)
