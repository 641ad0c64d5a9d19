"""What every attack's search is made of: ask for sets of edits, rank them by harm, leave out what is not needed."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from probes.languages import get
from probes.oracle import BudgetSpent
from probes.text import Span, splice, words
from probes.types import Accept, Edit, Item, Oracle

# A search that finds a flip early stops there: small batches cost less of the budget than they save in time.
CHUNK = 16

Edits = tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """A set of edits that was tried: the probability it left to the label, and whether the label was lost."""

    edits: Edits
    probability: float
    fooled: bool

    @property
    def rank(self) -> tuple[bool, float, int]:
        """The less, the more harm: flips first, then the label's probability, then the number of edits."""
        return not self.fooled, self.probability, len(self.edits)


def ranked(trials: Iterable[Trial]) -> list[Trial]:
    """The most harmful first; equals stay in their order."""
    return sorted(trials, key=lambda trial: trial.rank)


def edited(item: Item, edits: Iterable[Edit]) -> Item:
    """The item with its text edited."""
    return replace(item, text=splice(item.text, tuple(edits)))


def extensions(item: Item, done: Edits, edits: Iterable[Edit], accept: Accept) -> list[Edits]:
    """Every acceptable set of edits that adds one of the edits, as its last, to those already done."""
    return [(*done, edit) for edit in edits if edit not in done and accept(item.text, (*done, edit))]


def untouched(item: Item, label: int, oracle: Oracle) -> Trial:
    """The item as it is: what every attack starts from and nothing it answers may be weaker than."""
    return Trial((), float(oracle([item])[0][label]), False)


def trials(item: Item, label: int, candidates: Sequence[Edits], oracle: Oracle) -> list[Trial]:
    """The candidates tried in their order, up to the end of the first chunk with a flip."""
    found: list[Trial] = []
    while len(found) < len(candidates):
        size = CHUNK if oracle.left is None else max(1, min(CHUNK, oracle.left))  # the last queries are asked too
        chunk = candidates[len(found) : len(found) + size]
        rows = oracle([edited(item, edits) for edits in chunk])
        found += [
            Trial(edits, float(row[label]), int(row.argmax()) != label) for edits, row in zip(chunk, rows, strict=True)
        ]
        if any(trial.fooled for trial in found):
            break
    return found


def strongest(item: Item, label: int, candidates: Sequence[Edits], oracle: Oracle) -> Trial | None:
    """The most harmful candidate, from the first chunk with a flip if there is one."""
    return next(iter(ranked(trials(item, label, candidates, oracle))), None)


def pruned(item: Item, label: int, edits: Edits, oracle: Oracle, accept: Accept) -> tuple[Edits, bool]:
    """The edits of a flip without those it does not need, and whether the budget sufficed to try them all.

    Quarters are tried first, then less, as in delta debugging (Zeller and Hildebrandt 2002).
    Where it did, no single edit can be left out of what remains: the set is minimal, though maybe not the smallest.
    """

    def suffices(fewer: Edits) -> bool:
        return accept(item.text, fewer) and int(oracle([edited(item, fewer)])[0].argmax()) != label

    size = max(1, len(edits) // 4)
    try:
        while size and len(edits) > 1:
            before, at = edits, 0
            while at < len(edits):
                fewer = edits[:at] + edits[at + size :]
                if fewer and suffices(fewer):
                    edits = fewer
                else:
                    at += size
            if size > 1 or edits == before:
                size //= 2
        return edits, True
    except BudgetSpent:
        return edits, False


def by_word(text: str, edits: Sequence[Edit]) -> dict[Span, list[Edit]]:
    """Edits by the word they start in or follow; those before the first word go to the first."""
    spans = words(text, get("und")) or [(0, len(text))]
    starts = [start for start, _ in spans]
    groups: dict[Span, list[Edit]] = defaultdict(list)
    for edit in edits:
        groups[spans[max(0, bisect_right(starts, edit.start) - 1)]].append(edit)
    return groups


def by_importance(item: Item, label: int, spans: Sequence[Span], oracle: Oracle) -> list[Span]:
    """Words, the most important first: least probability of the label without the word.

    Half of what is left of the budget is for the search: where the other half cannot pay for every word, as many
    neighbours as need be are left out together, and keep their order.
    """
    most = len(spans) if oracle.left is None else oracle.left // 2
    size = -(-len(spans) // max(1, most))
    groups = [spans[start : start + size] for start in range(0, len(spans), size)] if size else []
    if len(groups) < 2:
        return list(spans)
    without = oracle([edited(item, [Edit(start, end, "") for start, end in group]) for group in groups])[:, label]
    return [span for i in np.argsort(without, kind="stable") for span in groups[i]]
