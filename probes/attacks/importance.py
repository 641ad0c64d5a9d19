"""Word importance search, after DeepWordBug (Gao et al. 2018): the words the label leans on are edited first."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from probes.languages import get
from probes.search import edited, extensions, strongest
from probes.text import words
from probes.types import Accept, Attempt, Edit, Item, Oracle

# Edits drawn per word; with more of them the budget ends before the second word.
PER_WORD = 8

Span = tuple[int, int]


def importance(
    item: Item, label: int, edits: Sequence[Edit], oracle: Oracle, accept: Accept, rng: np.random.Generator
) -> Attempt:
    """Rank words by what their removal takes from the label, then keep the best of 8 drawn edits word by word."""
    groups = _by_word(item.text, edits)
    probability = float(oracle([item])[0][label])
    done: tuple[Edit, ...] = ()
    for word in _ranked(item, label, list(groups), oracle):
        drawn = rng.permutation(len(groups[word]))[:PER_WORD]
        chosen = [groups[word][i] for i in sorted(drawn)]
        best = strongest(item, label, extensions(item, done, chosen, accept), oracle)
        if best is not None and best.fooled:
            return Attempt(best.edits, True, oracle.queries)
        if best is not None and best.probability < probability:
            done, probability = best.edits, best.probability
    return Attempt(done, False, oracle.queries)


def _by_word(text: str, edits: Sequence[Edit]) -> dict[Span, list[Edit]]:
    """Edits by the word they start in or follow; those before the first word go to the first."""
    spans = words(text, get("und")) or [(0, len(text))]
    starts = [start for start, _ in spans]
    groups: dict[Span, list[Edit]] = defaultdict(list)
    for edit in edits:
        groups[spans[max(0, bisect_right(starts, edit.start) - 1)]].append(edit)
    return groups


def _ranked(item: Item, label: int, spans: Sequence[Span], oracle: Oracle) -> list[Span]:
    """Words, the most important first: least probability of the label without the word."""
    if len(spans) < 2:
        return list(spans)
    without = oracle([edited(item, [Edit(start, end, "")]) for start, end in spans])[:, label]
    return [spans[i] for i in np.argsort(without, kind="stable")]
