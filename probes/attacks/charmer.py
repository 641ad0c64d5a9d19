"""Position, then character, after Charmer (Rocamora et al. 2024, "Revisiting Character-level Adversarial Attacks").

Every round first asks which positions matter, then what to write there, and makes one edit. Theirs tries a blank at
every position and then the whole alphabet at the best ones; ours tries one of the edits offered there, then the others,
and is at home in every script. Their k edits are what the step allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from probes.searching.search import extensions, ranked, trials, untouched
from probes.types import Accept, Attempt, Edit, Item, Oracle

# Positions tried in a round, and how many of them are looked into.
SCOUTED, CHOSEN = 96, 8


def charmer(
    item: Item, label: int, edits: Sequence[Edit], oracle: Oracle, accept: Accept, rng: np.random.Generator
) -> Attempt:
    """In every round try one edit at up to 96 positions, then every edit at the best 8, and keep the best."""
    places = {start: list(there) for start, there in groupby(sorted(edits), key=lambda edit: edit.start)}
    starts = list(places)
    best = untouched(item, label, oracle)
    while not best.fooled:
        drawn = sorted(starts[i] for i in rng.permutation(len(starts))[:SCOUTED])
        scouts = [places[start][rng.integers(len(places[start]))] for start in drawn]
        tried = ranked(trials(item, label, extensions(item, best.edits, scouts, accept), oracle))
        if tried and not tried[0].fooled:
            there = [edit for trial in tried[:CHOSEN] for edit in places[trial.edits[-1].start]]
            tried += trials(item, label, extensions(item, best.edits, there, accept), oracle)
        leader = ranked([best, *tried])[0]
        if leader is best:
            break
        best = leader
    return Attempt(best.edits, best.fooled, oracle.queries)
