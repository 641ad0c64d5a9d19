"""Empirical robust radius: the largest norm of Gaussian noise on the word embeddings that a prediction bears."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from probes.types import Example, Item
from training.evaluation.outcomes import Radius
from training.evaluation.suite import RadiusGrid


@runtime_checkable
class Noised(Protocol):
    """A classifier whose word embeddings can be given noise."""

    def noisy(self, items: Sequence[Item], radius: float, draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Predicted label numbers (draws, len(items)) under Gaussian noise of that norm relative to an embedding's."""


def measure(
    model: Noised,
    texts: Sequence[Example],
    before: NDArray[np.intp],
    plan: RadiusGrid,
    seed: int,
    progress: Callable[[int, int], None],
) -> list[Radius]:
    """For each text the last norm of the grid before the first that loses the prediction `before`; 0 if none holds.

    A norm loses a prediction when fewer than the share `plan.stable` of the draws keep it. A radius that reaches the
    end of the grid is censored: the true one may be larger.
    """
    borne = np.zeros(len(texts))
    alive = np.arange(len(texts))
    for place, norm in enumerate(plan.grid):
        if not len(alive):
            break
        rng = np.random.default_rng(_key(seed, norm))
        answers = model.noisy([texts[int(one)].item for one in alive], norm, plan.draws, rng)
        alive = alive[(answers == before[alive]).mean(axis=0) >= plan.stable]
        borne[alive] = norm
        progress(place + 1, len(plan.grid))
    return [
        Radius(row.lang, row.id, float(norm), bool(norm == plan.grid[-1]))
        for row, norm in zip(texts, borne, strict=True)
    ]


def _key(seed: int, norm: float) -> int:
    """Noise is fixed by seed and norm, not by what was drawn before."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{norm!r}".encode()).digest())
