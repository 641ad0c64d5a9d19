"""The sides of a pair as one text: an attack edits where it hurts most and knows nothing of pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from probes.types import Accept, Classifier, Edit, Item, Probabilities

Edits = tuple[Edit, ...]

# Control characters, at which a grapheme always ends; the first that occurs nowhere stands between the two texts.
_MARKS = "\x1f\x1e\x1d\x1c"


@dataclass(frozen=True, slots=True)
class Sides:
    """What an attack gets in place of an item: one text and the edits of the sides it may edit."""

    original: Item
    item: Item
    edits: Edits
    mark: str = ""
    """What stands between the sides; empty where the item is the original."""
    one_only: bool = False
    """Whether all edits must be on one side, whichever."""

    def apart(self, edits: Iterable[Edit]) -> tuple[Edits, Edits]:
        """Edits of the one text as edits of the text and edits of the pair."""
        border = len(self.original.text)
        first = tuple(edit for edit in edits if not self.mark or edit.end <= border)
        second = tuple(
            Edit(edit.start - border - 1, edit.end - border - 1, edit.new)
            for edit in edits
            if self.mark and edit.end > border
        )
        return first, second

    def accept(self, inner: Accept) -> Accept:
        """What is acceptable on either side, each with its own text."""

        def accept(text: str, edits: Sequence[Edit]) -> bool:
            first, second = self.apart(edits)
            if self.one_only and first and second:
                return False
            return inner(self.original.text, first) and (not second or inner(self.original.pair or "", second))

        return accept

    def view(self, classifier: Classifier) -> Classifier:
        """The classifier of one text with this mark."""
        return _View(classifier, self.mark) if self.mark else classifier


def sides(item: Item, field: str, candidates: Callable[[str], Iterable[Edit]]) -> Sides:
    """The item for an attack on a field: text, pair, both, or either (all edits on one side, the attack's choice)."""
    first = () if field == "pair" else tuple(candidates(item.text))
    second = () if field == "text" or item.pair is None else tuple(candidates(item.pair))
    return joined(item, first, second, one_only=field == "either")


def joined(item: Item, first: Edits, second: Edits, *, one_only: bool = False) -> Sides:
    """The item with these edits of its text and of its pair; its own text where there are none of the pair.

    Two texts that between them use every mark cannot be joined: no edit is then offered.
    """
    if item.pair is None or not second:
        return Sides(item, item, first)
    used = {*item.text, *item.pair, *(char for edit in (*first, *second) for char in edit.new)}
    mark = next((mark for mark in _MARKS if mark not in used), None)
    if mark is None:
        return Sides(item, item, ())
    shift = len(item.text) + 1
    moved = (Edit(edit.start + shift, edit.end + shift, edit.new) for edit in second)
    return Sides(item, Item(item.text + mark + item.pair), (*first, *moved), mark, one_only)


class _View:
    """A classifier of pairs that is asked with both sides in one text."""

    def __init__(self, classifier: Classifier, mark: str) -> None:
        self.labels = classifier.labels
        self._classifier, self._mark = classifier, mark

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        parts = (item.text.partition(self._mark) for item in items)
        return self._classifier([Item(text, pair) for text, _, pair in parts])
