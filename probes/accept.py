"""What an attack may do to a text: edits that do not meet, and at most a given share of its letters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from probes.text import graphemes
from probes.types import Accept, Edit


def within(share: float) -> Accept:
    """Accept non-overlapping edits that touch at most share (0..1) of the graphemes; one is always allowed."""

    def accept(text: str, edits: Sequence[Edit]) -> bool:
        if not apart(edits):
            return False
        return len(edits) <= 1 or sum(cost(text, edit) for edit in edits) <= share * _length(text)

    return accept


def apart(edits: Sequence[Edit]) -> bool:
    """Whether no two edits overlap or start at the same place."""
    return all(a.end <= b.start and a.start < b.start for a, b in pairwise(sorted(edits)))


def cost(text: str, edit: Edit) -> int:
    """Graphemes an edit takes away or puts in, whichever is more."""
    return max(1, len(graphemes(text[edit.start : edit.end])), len(graphemes(edit.new)))


@lru_cache(maxsize=256)
def _length(text: str) -> int:
    return len(graphemes(text))
