"""Which sentence pair is seen when: a mixture of languages and sources that a step number alone determines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]


@dataclass(frozen=True)
class Cell:
    """The texts of one language from one source, as piece ids, and the row of the target vector of each."""

    lang: str
    source: str
    ids: Sequence[Ids]
    targets: NDArray[np.int64]


def shares(cells: Sequence[Cell], english: str, english_share: float, exponent: float = 0.35) -> NDArray[np.float64]:
    """Share of each cell: languages by a power of their size, sources within one by its square root; English fixed."""
    size = np.array([len(cell.ids) for cell in cells], dtype=np.float64)
    languages = np.array([cell.lang for cell in cells])
    share = np.zeros(len(cells))
    for lang in set(languages):
        own = languages == lang
        within = np.sqrt(size[own]) / np.sqrt(size[own]).sum()
        share[own] = within * (0 if lang == english else size[own].sum() ** exponent)
        if lang == english:
            share[own] = -within
    others = share > 0
    share[others] *= (1 - english_share) / share[others].sum()
    share[share < 0] *= -english_share
    return share


@dataclass(frozen=True)
class Mixture:
    """Endless batches of (piece ids, target rows), the same for the same seed, wherever one starts.

    A chunk takes from every cell its share of texts, each cell going round its own texts in a new order every time; a
    chunk is sorted by length, cut into batches of at most tokens_per_batch padded pieces, and the batches are shuffled.
    """

    cells: Sequence[Cell]
    share: NDArray[np.float64]
    tokens_per_batch: int
    seed: int
    chunk_size: int = 32768

    def _draw(self, number: int, chunk: int) -> NDArray[np.int64]:
        """Which texts of a cell a chunk takes."""
        size = len(self.cells[number].ids)
        first, last = (int(np.floor((chunk + i) * self.share[number] * self.chunk_size)) for i in (0, 1))
        order = {
            turn: np.random.default_rng([self.seed, number, turn]).permutation(size)
            for turn in range(first // size, last // size + 1)
        }
        return np.array([order[k // size][k % size] for k in range(first, last)], dtype=np.int64)

    def chunk(self, chunk: int) -> Iterator[list[tuple[int, int]]]:
        """The batches of one chunk, as (cell, text) numbers."""
        picked = [(number, int(i)) for number in range(len(self.cells)) for i in self._draw(number, chunk)]
        lengths = np.array([len(self.cells[number].ids[i]) for number, i in picked])
        rng = np.random.default_rng([self.seed, len(self.cells), chunk])
        batches: list[list[tuple[int, int]]] = [[]]
        for k in np.lexsort((rng.random(len(picked)), lengths)):
            if (len(batches[-1]) + 1) * lengths[k] > self.tokens_per_batch:
                batches.append([])
            batches[-1].append(picked[k])
        for k in rng.permutation(len(batches)):
            yield batches[k]

    def batches(self, start: int, pad: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Batches from number start on: ids of shape (n, longest), padded, and target rows of shape (n,)."""
        number, chunk = 0, 0
        while True:
            for batch in self.chunk(chunk):
                if number >= start:
                    yield self._collate(batch, pad)
                number += 1
            chunk += 1

    def _collate(self, batch: Sequence[tuple[int, int]], pad: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        rows = [self.cells[number].ids[i] for number, i in batch]
        ids = np.full((len(rows), max(map(len, rows))), pad, dtype=np.int64)
        for row, own in zip(ids, rows, strict=True):
            row[: len(own)] = own
        return ids, np.array([self.cells[number].targets[i] for number, i in batch])
