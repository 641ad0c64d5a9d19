"""Intervals for rates and for differences of rates, where several draws of one example are not independent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from probes.statistics.significance import mid_p_interval

# With fewer sources than this a resample says more about the few than about the rate.
LEAST_SOURCES = 5

Counts = tuple[float, float]
"""Successes and trials of one source."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its interval; n trials."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of two rates, first minus second, with its interval."""

    value: float
    low: float
    high: float


def wilson(successes: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval of a rate (Wilson 1927); n may be an effective size. n = 0 says nothing: (0, 1)."""
    if n < 0 or not 0 <= successes <= n:
        raise ValueError(f"{successes} successes in {n} trials: 0 <= successes <= n was expected")
    if n == 0:
        return 0.0, 1.0
    z = float(ndtri(0.5 + confidence / 2))
    rate = successes / n
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)))
    return max(0.0, min(rate, centre - half)), min(1.0, max(rate, centre + half))


def effective_size(counts: Sequence[Counts]) -> float:
    """How many independent trials the clustered ones are worth: at most the trials, at least what follows.

    The design effect of the ratio estimator (Kish 1965). Never less than if the trials of a cluster always agreed,
    which is what is taken for granted where no variance is seen: the clusters, fewer where they are unequal.
    """
    clusters = np.array([(s, n) for s, n in counts if n], dtype=float).reshape(-1, 2)
    g, total = len(clusters), clusters[:, 1].sum()
    if not g:
        return 0.0
    rate, least = clusters[:, 0].sum() / total, float(total**2 / (clusters[:, 1] ** 2).sum())
    simple = rate * (1 - rate) / total
    if g < 2 or simple == 0:
        return least
    residuals = clusters[:, 0] - rate * clusters[:, 1]
    clustered = g / (g - 1) * float((residuals**2).sum()) / total**2
    return float(np.clip(total * simple / clustered, least, total)) if clustered > 0 else float(total)


def share(counts: Sequence[Counts], confidence: float = 0.95) -> Share | None:
    """The pooled rate of clustered trials with a Wilson interval at their effective size; None without trials."""
    successes, n = sum(s for s, _ in counts), sum(n for _, n in counts)
    if not n:
        return None
    size = effective_size(counts)
    low, high = wilson(successes / n * size, size, confidence)
    return Share(successes / n, low, high, int(n))


def cluster_bootstrap(
    first: Mapping[str, Counts],
    second: Mapping[str, Counts],
    *,
    seed: int,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> Difference | None:
    """Percentile interval of rate(first) - rate(second), drawing whole sources (example ids) with replacement.

    A source in both conditions is drawn for both, which pairs them; None where a condition has fewer than 5 sources.
    Where both rates are 0 or 1 resampling knows no doubt: the interval is then that of two rates, unpaired.
    """
    sources = sorted(set(first) | set(second))
    if any(sum(n > 0 for _, n in counts.values()) < LEAST_SOURCES for counts in (first, second)):
        return None
    a, b = _columns(first, sources), _columns(second, sources)
    weights = np.random.default_rng(seed).multinomial(len(sources), np.full(len(sources), 1 / len(sources)), resamples)
    (a_sum, a_n), (b_sum, b_n) = (weights @ a).T, (weights @ b).T
    drawn = (a_n > 0) & (b_n > 0)
    differences = a_sum[drawn] / a_n[drawn] - b_sum[drawn] / b_n[drawn]
    low, high = np.quantile(differences, [(1 - confidence) / 2, (1 + confidence) / 2])
    a_rate, b_rate = (float(found[:, 0].sum() / found[:, 1].sum()) for found in (a, b))
    if {a_rate, b_rate} <= {0.0, 1.0}:
        (a_low, a_high), (b_low, b_high) = (rate_interval(found, (1 + confidence) / 2) for found in (first, second))
        low, high = a_low - b_high, a_high - b_low
    return Difference(a_rate - b_rate, float(low), float(high))


def rate_interval(counts: Mapping[str, Counts], confidence: float) -> tuple[float, float]:
    """Mid-p interval of a rate at its effective size, which knows doubt where all sources agree."""
    pairs = list(counts.values())
    size, n = effective_size(pairs), sum(n for _, n in pairs)
    return mid_p_interval(sum(hits for hits, _ in pairs) / n * size, size, confidence)


def paired_bootstrap(
    changes: Sequence[float], *, seed: int, resamples: int = 2000, confidence: float = 0.95
) -> Difference | None:
    """Percentile interval of the mean change, one change for each source, sources drawn with replacement.

    None for fewer than 5 sources. Draws how often each value comes, which is the same and takes no time.
    """
    n = len(changes)
    if n < LEAST_SOURCES:
        return None
    values, counts = np.unique(np.asarray(changes, dtype=float), return_counts=True)
    means = np.random.default_rng(seed).multinomial(n, counts / n, resamples) @ values / n
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Difference(float(values @ counts / n), float(low), float(high))


def _columns(counts: Mapping[str, Counts], sources: Sequence[str]) -> NDArray[np.float64]:
    return np.array([counts.get(source, (0.0, 0.0)) for source in sources], dtype=float)
