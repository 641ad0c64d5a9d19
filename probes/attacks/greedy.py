"""Greedy search: in every round the one edit that hurts the label most is kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probes.searching.search import extensions, strongest, untouched
from probes.types import Accept, Attempt, Edit, Item, Oracle

# Every round asks for each remaining edit once: more of them than this and the budget never sees a second round.
POOL = 48


def greedy(
    item: Item, label: int, edits: Sequence[Edit], oracle: Oracle, accept: Accept, rng: np.random.Generator
) -> Attempt:
    """In every round try each remaining edit (of a drawn pool of 48) and keep the one that hurts the label most."""
    pool = [edits[i] for i in sorted(rng.permutation(len(edits))[:POOL])]
    best = untouched(item, label, oracle)
    while not best.fooled:
        trial = strongest(item, label, extensions(item, best.edits, pool, accept), oracle)
        if trial is None or (trial.probability >= best.probability and not trial.fooled):
            break
        best = trial
    return Attempt(best.edits, best.fooled, oracle.queries)
