"""The whole allowance at once, scattered over the text: a flip costs two or three questions, and many edits.

Random search over sets of edits, after Sparse-RS (Croce et al. 2022, "Sparse-RS: a Versatile Framework for
Query-Efficient Sparse Black-Box Adversarial Attacks"): a set is drawn, and later ones keep half of the best. Ours: a
drawn set is no even draw. It breaks every word once before any twice, the longest first, at its beginning, middle and
quarters, and takes the smallest edits there are, so that the first question already is a strong one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice, zip_longest
from operator import attrgetter

import numpy as np

from probes.searching.search import CHUNK, Edits, by_word, ranked, trials, untouched
from probes.types import Accept, Attempt, Edit, Item, Oracle

# Questions asked without a flip, and letters of a word that count as a word of their own.
SHOTS, PIECE = 256, 6
# Edits tried together, and how many refused one after the other end the search for more.
STRIDE, REFUSED = 8, 4

Pieces = Sequence[Sequence[Sequence[Edit]]]
"""Of each piece of a word, the edits at each of its places."""


def burst(
    item: Item, label: int, edits: Sequence[Edit], oracle: Oracle, accept: Accept, rng: np.random.Generator
) -> Attempt:
    """Make as many edits at once as are allowed, in 1, 1, 2, 4, ... drawn sets, half of them near the best so far."""
    pieces = _pieces(item.text, edits)
    best, asked = untouched(item, label, oracle), 0
    while not best.fooled and asked < SHOTS:
        size = min(max(asked, 1), CHUNK)
        sets = (_widest(item.text, _order(pieces, best.edits if i % 2 else (), rng), accept) for i in range(size))
        if not (found := trials(item, label, [drawn for drawn in sets if drawn], oracle)):
            break
        best, asked = ranked([best, *found])[0], asked + size
    return Attempt(best.edits, best.fooled, oracle.queries)


def _pieces(text: str, edits: Sequence[Edit]) -> Pieces:
    """Words, long ones in pieces of about PIECE places."""
    places: dict[int, list[Edit]] = {}
    for edit in edits:
        places.setdefault(edit.start, []).append(edit)
    pieces: list[list[list[Edit]]] = []
    for word in by_word(text, [places[start][0] for start in sorted(places)]).values():
        there = [places[edit.start] for edit in word]
        count = max(1, round(len(there) / PIECE))
        pieces += (there[i * len(there) // count : (i + 1) * len(there) // count] for i in range(count))
    return pieces


def _smallest(edits: Sequence[Edit]) -> list[Edit]:
    sizes = [max(edit.end - edit.start, len(edit.new)) for edit in edits]
    least = min(sizes)
    return [edit for edit, size in zip(edits, sizes, strict=True) if size == least]


def _order(pieces: Pieces, best: Edits, rng: np.random.Generator) -> Iterator[Edit]:
    """A drawn half of the best set, then every piece's first place, every piece's second, and so on."""
    yield from (best[i] for i in rng.permutation(len(best))[: (len(best) + 1) // 2])
    keys = np.array([len(piece) for piece in pieces]) + 2 * rng.random(len(pieces))
    columns = ([pieces[i][j] for j in _scattered(len(pieces[i]))] for i in np.argsort(-keys))
    for row in zip_longest(*columns):
        for offered in row:
            if offered:
                smallest = _smallest(offered)
                yield smallest[int(rng.random() * len(smallest))]


@lru_cache(maxsize=256)
def _scattered(count: int) -> tuple[int, ...]:
    """0 to count - 1: the first, the middle, the quarters, and so on."""
    halvings = (1 << i for i in range(count.bit_length() + 1))
    return tuple(dict.fromkeys(j * count // parts for parts in halvings for j in range(parts)))


def _widest(text: str, order: Iterator[Edit], accept: Accept) -> Edits:
    """The edits in this order, as many as are accepted together: tried by eights, at last one by one."""
    done: Edits = ()
    free: Iterator[Edit] = (edit for edit in _apart(order) if accept(text, (edit,)))
    refused = 0
    wanted = tuple(islice(free, STRIDE))
    while wanted and refused < REFUSED:
        stride = len(wanted)
        if accept(text, (*done, *wanted)):
            done, refused = (*done, *wanted), 0
        elif stride == 1:
            refused += 1
        else:
            stride //= 2
            free = chain(wanted, free)
        wanted = tuple(islice(free, stride))
    return tuple(sorted(done, key=attrgetter("start")))


def _apart(order: Iterator[Edit]) -> Iterator[Edit]:
    """Those that meet none before them."""
    touched: set[int] = set()
    for edit in order:
        if touched.isdisjoint(here := range(edit.start, max(edit.end, edit.start + 1))):
            touched.update(here)
            yield edit
