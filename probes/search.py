"""What every attack's search is made of: ask for sets of edits, keep the one that hurts the label most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from probes.text import splice
from probes.types import Accept, Edit, Item, Oracle

# A search that finds a flip early stops there: small batches cost less of the budget than they save in time.
CHUNK = 16


@dataclass(frozen=True, slots=True)
class Trial:
    """A set of edits that was tried: the probability it left to the label, and whether the label was lost."""

    edits: tuple[Edit, ...]
    probability: float
    fooled: bool


def edited(item: Item, edits: Iterable[Edit]) -> Item:
    """The item with its text edited."""
    return replace(item, text=splice(item.text, tuple(sorted(edits))))


def extensions(item: Item, done: tuple[Edit, ...], edits: Iterable[Edit], accept: Accept) -> list[tuple[Edit, ...]]:
    """Every acceptable set of edits that adds one of the edits to those already done."""
    return [(*done, edit) for edit in edits if edit not in done and accept(item.text, (*done, edit))]


def strongest(item: Item, label: int, candidates: Sequence[tuple[Edit, ...]], oracle: Oracle) -> Trial | None:
    """The candidate that leaves the label the least probability, from the first chunk with a flip if there is one."""
    best: Trial | None = None
    for start in range(0, len(candidates), CHUNK):
        chunk = candidates[start : start + CHUNK]
        probabilities = oracle([edited(item, edits) for edits in chunk])
        for edits, row in zip(chunk, probabilities, strict=True):
            trial = Trial(edits, float(row[label]), int(row.argmax()) != label)
            if best is None or (trial.fooled, -trial.probability) > (best.fooled, -best.probability):
                best = trial
        if best is not None and best.fooled:
            return best
    return best
