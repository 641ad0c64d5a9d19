"""A burst whose flip is made small: for those who want few edits, and have the questions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probes.attacks.burst import burst
from probes.searching.search import pruned
from probes.types import Accept, Attempt, Edit, Item, Oracle


def burst_and_prune(
    item: Item, label: int, edits: Sequence[Edit], oracle: Oracle, accept: Accept, rng: np.random.Generator
) -> Attempt:
    """Make as many edits at once as are allowed, then take back what a flip can do without."""
    found = burst(item, label, edits, oracle, accept, rng)
    kept = pruned(item, label, found.edits, oracle, accept)[0] if found.fooled else found.edits
    return Attempt(kept, found.fooled, oracle.queries)
