"""Word substitution in order of importance, after TextFooler (Jin et al. 2020), on the synonyms a language has.

Theirs takes neighbours in counter-fitted English vectors and, of those that flip, the nearest sentence by an encoder;
ours takes the edits offered (the perturbation `synonym`, or `synonym:FILE`) and, of those that flip, the one that
changes least. A step's `similarity` puts the encoder back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probes.searching.accept import cost
from probes.searching.search import Trial, by_importance, by_word, extensions, ranked, trials, untouched
from probes.types import Accept, Attempt, Edit, Item, Oracle


def synonym(
    item: Item, label: int, edits: Sequence[Edit], oracle: Oracle, accept: Accept, rng: np.random.Generator
) -> Attempt:
    """Rank the words that can be replaced by what they matter, then try every replacement; of flips the smallest."""
    groups = by_word(item.text, edits)
    best = untouched(item, label, oracle)
    for word in by_importance(item, label, list(groups), oracle):
        tried = trials(item, label, extensions(item, best.edits, groups[word], accept), oracle)
        if flips := [trial for trial in tried if trial.fooled]:
            best = min(flips, key=lambda trial: _size(item, trial))
            break
        best = next((trial for trial in ranked(tried)[:1] if trial.probability < best.probability), best)
    return Attempt(best.edits, best.fooled, oracle.queries)


def _size(item: Item, trial: Trial) -> tuple[int, float]:
    return cost(item.text, trial.edits[-1]), trial.probability
