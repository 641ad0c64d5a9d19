"""How far two windows of texts are apart, and whether that may be chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, kolmogorov

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Drift:
    """A distance between 0 and 1, the chance of one as large without any drift, and the sizes of the windows."""

    distance: float
    p: float
    first: int
    latest: int


def mix(first: Mapping[str, int], latest: Mapping[str, int]) -> Drift | None:
    """Jensen-Shannon divergence of two mixes in bits, by Pearson's test of homogeneity; None for an empty one."""
    names = sorted({*first, *latest})
    both = np.array([[window.get(name, 0) for name in names] for window in (first, latest)], dtype=float)
    sizes = both.sum(axis=1)
    if not sizes.all():
        return None
    shares = both / sizes[:, None]
    middle = shares.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = float(np.nansum(shares * np.log2(shares / middle)) / 2)
    expected = np.outer(sizes, both.sum(axis=0) / sizes.sum())
    statistic = float(((both - expected) ** 2 / expected).sum())
    p = float(chdtrc(len(names) - 1, statistic)) if len(names) > 1 else 1.0
    return Drift(max(0.0, distance), p, *map(int, sizes))


def shift(first: Floats, latest: Floats) -> Drift | None:
    """Kolmogorov-Smirnov distance of two histograms over the same bins; None for an empty one.

    The p of binned values is too large rather than too small.
    """
    n, m = first.sum(), latest.sum()
    if not n or not m:
        return None
    distance = float(np.abs(np.cumsum(first) / n - np.cumsum(latest) / m).max())
    return Drift(distance, float(kolmogorov(distance * np.sqrt(n * m / (n + m)))), int(n), int(m))
