"""Word importance search, after DeepWordBug (Gao et al. 2018): the words the label leans on are edited first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probes.searching.search import by_importance, by_word, extensions, strongest, untouched
from probes.types import Accept, Attempt, Edit, Item, Oracle

# Edits drawn per word; with more of them the budget ends before the second word.
PER_WORD = 8


def importance(
    item: Item, label: int, edits: Sequence[Edit], oracle: Oracle, accept: Accept, rng: np.random.Generator
) -> Attempt:
    """Rank words by what their removal takes from the label, then keep the best of 8 drawn edits word by word."""
    groups = by_word(item.text, edits)
    best = untouched(item, label, oracle)
    for word in by_importance(item, label, list(groups), oracle):
        drawn = rng.permutation(len(groups[word]))[:PER_WORD]
        chosen = [groups[word][i] for i in sorted(drawn)]
        trial = strongest(item, label, extensions(item, best.edits, chosen, accept), oracle)
        if trial is not None and (trial.fooled or trial.probability < best.probability):
            best = trial
        if best.fooled:
            break
    return Attempt(best.edits, best.fooled, oracle.queries)
