"""Dose: how much of a text a set of edits changes, counted in graphemes so that it means the same in every script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import takewhile

from probes.text import graphemes
from probes.types import Edit, Item


def changed(text: str, edit: Edit) -> int:
    """Graphemes an edit changes: the Levenshtein distance of what it takes out and what it puts in.

    A letter left out, put in or exchanged is 1, two neighbours in each other's place are 2, a word left out is its
    length with its space. Summed over edits it is never less than the distance of the whole texts.
    """
    return distance(_parts(text[edit.start : edit.end]), _parts(edit.new))


def dose(text: str, edits: Iterable[Edit]) -> float:
    """Changed graphemes by graphemes of the text; 0 for a text without any."""
    return item_dose(Item(text), "text", edits, ())


def item_dose(item: Item, field: str, edits: Iterable[Edit], pair_edits: Iterable[Edit]) -> float:
    """The dose of an item whose `field` (text, pair, both, either) is worked on: of that side, or of both together."""
    sides = [(item.text, edits)] if field != "pair" else []
    sides += [(item.pair, pair_edits)] if field != "text" and item.pair is not None else []
    size = sum(_size(text) for text, _ in sides)
    return sum(changed(text, edit) for text, made in sides for edit in made) / size if size else 0.0


def distance(before: Sequence[str], after: Sequence[str]) -> int:
    """Levenshtein distance of two sequences; a column of the table is two integers (Myers 1999)."""
    for _ in "front", "back":
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
        before, after = before[same:][::-1], after[same:][::-1]
    where: dict[str, int] = {}
    for i, part in enumerate(before):
        where[part] = where.get(part, 0) | 1 << i
    if where.keys().isdisjoint(after):
        return max(len(before), len(after))
    last, found = 1 << len(before) >> 1, len(before)
    up, down = (1 << len(before)) - 1, 0  # where the column rises and falls by one
    for part in after:
        same = where.get(part, 0)
        across = same | down
        along = (((same & up) + up) ^ up) | same
        right, left = down | ~(along | up), up & along
        found += bool(right & last) - bool(left & last)
        right, left = right << 1 | 1, left << 1
        up, down = left | ~(across | right), right & across
    return found


def _parts(text: str) -> list[str]:
    return [text[start:end] for start, end in graphemes(text)]


@lru_cache(maxsize=1024)
def _size(text: str) -> int:
    return len(graphemes(text))
