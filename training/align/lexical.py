"""Lexical initialisation: a new vocabulary's embeddings out of an English encoder's, by co-occurrence in aligned text.

A piece and an English piece that keep meeting in the same sentence pairs mean the same thing; the Dice coefficient
(Dice 1945; used for word alignment since Smadja et al. 1996) says how often. Nothing is trained here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

PARTNERS = 4
SHARPNESS = 3
MIN_COUNT = 2

Floats = NDArray[np.float32]


def incidence(ids: Sequence[Sequence[int]], width: int) -> sparse.csr_matrix:
    """Which piece stands in which sentence: zeros and ones of shape (sentences, width)."""
    lengths = np.fromiter((len(row) for row in ids), dtype=np.int64, count=len(ids))
    columns = np.fromiter((piece for row in ids for piece in row), dtype=np.int32, count=int(lengths.sum()))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    matrix = sparse.csr_matrix((np.ones(len(columns), np.float32), columns, starts), shape=(len(ids), width))
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix


def partners(own: sparse.csr_matrix, english: sparse.csr_matrix) -> tuple[sparse.csr_matrix, NDArray[np.float64]]:
    """The best partners of every piece, weighted by Dice to the third power, rows summing to one; and the best Dice."""
    counts_own, counts_english = (np.asarray(matrix.sum(axis=0)).ravel() for matrix in (own, english))
    together = (own.T @ english).tocoo()
    keep = together.data >= np.minimum(MIN_COUNT, counts_own[together.row])
    rows, columns, both = together.row[keep], together.col[keep], together.data[keep]
    dice = 2 * both / (counts_own[rows] + counts_english[columns])
    order = np.lexsort((-dice, rows))
    rows, columns, dice = rows[order], columns[order], dice[order]
    first = np.searchsorted(rows, rows, side="left")
    top = np.arange(len(rows)) - first < PARTNERS
    weights = sparse.csr_matrix((dice[top] ** SHARPNESS, (rows[top], columns[top])), shape=together.shape)
    total = np.asarray(weights.sum(axis=1)).ravel()
    best = np.zeros(together.shape[0])
    np.maximum.at(best, rows[top], dice[top])
    scale = sparse.diags(np.divide(1, total, out=np.zeros_like(total), where=total > 0))
    return scale @ weights, best


def initial_embeddings(
    bitexts: Iterable[tuple[Sequence[Sequence[int]], Sequence[Sequence[int]]]],
    size: int,
    teacher: Floats,
) -> tuple[Floats, NDArray[np.float64]]:
    """Embeddings of shape (size, teacher width) for a new vocabulary, and how often each piece was seen.

    Bitexts: for each language the new vocabulary's ids and the teacher's ids of the same sentence pairs. Languages are
    combined by count times best Dice. A piece never seen gets the mean embedding.
    """
    total = np.zeros((size, teacher.shape[1]), np.float32)
    mass, seen = np.zeros(size), np.zeros(size)
    for own_ids, english_ids in bitexts:
        own, english = incidence(own_ids, size), incidence(english_ids, len(teacher))
        weights, best = partners(own, english)
        count = np.asarray(own.sum(axis=0)).ravel()
        share = count * best
        total += share[:, None].astype(np.float32) * (weights @ teacher)
        mass += share
        seen += count
    found = mass > 0
    total[found] /= mass[found, None].astype(np.float32)
    total[~found] = np.average(total[found], axis=0, weights=mass[found])
    return total, seen


def factorise(embeddings: Floats, weight: NDArray[np.float64], rank: int) -> tuple[Floats, Floats]:
    """Weighted best factors of a rank: rows of shape (n, rank) and a projection of shape (rank, width)."""
    covariance = (embeddings * weight[:, None]).T @ embeddings
    _, vectors = np.linalg.eigh(covariance.astype(np.float64))
    projection = vectors[:, ::-1][:, :rank].T.astype(np.float32)
    return embeddings @ projection.T, projection
