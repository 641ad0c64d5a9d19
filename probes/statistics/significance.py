"""Tests of rates and of paired changes, and what many tests at once cost: mid-p, McNemar, Tango, Holm."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import bdtr, betainc, betaincc, ndtr

Numbers = NDArray[np.float64]

# Stands for zero where the beta function has none.
_TINY = 1e-12


def mid_p(successes: float | Numbers, n: float, rate: float) -> Numbers:
    """Two-sided p of the hypothesis that the rate is this: binomial, half the chance of what was seen (Lancaster 1961).

    successes and n need not be whole, so that clustered trials enter at their effective size (Korn and Graubard 1998).
    """
    low, high = _tails(successes, n, rate)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(low, high)))


def mid_p_interval(successes: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """The rates that mid_p does not reject, which holds far out, where Wilson fails; n = 0 says nothing: (0, 1)."""
    if n == 0:
        return 0.0, 1.0
    level = (1 - confidence) / 2

    def bound(side: int) -> float:
        return float(brentq(lambda rate: float(_tails(successes, n, rate)[side]) - level, 0.0, 1.0, xtol=1e-9))

    return (bound(0) if successes > 0 else 0.0), (bound(1) if successes < n else 1.0)


def mcnemar(lost: int, gained: int) -> float:
    """Exact two-sided p that as many were lost as gained (McNemar 1947)."""
    return min(1.0, 2 * float(bdtr(min(lost, gained), lost + gained, 0.5)))


def tango(lost: float, gained: float, n: float, change: float) -> float:
    """Chance of so low a net gain, or lower, if (gained - lost) / n were truly `change`, between -1 and 1.

    The score test of a paired difference (Tango 1998, doi 10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0),
    at change 0 McNemar's; it knows doubt where nothing changed. Sums of parts (several draws of one text) may be given
    for counts, which errs on the wide side.
    """
    b = (2 * n - gained + lost) * change - gained - lost
    root = np.sqrt(max(0.0, b * b + 8 * n * lost * change * (1 - change)))
    back = (root - b) / (4 * n)
    spread = n * (2 * back + change * (1 - change))
    off = gained - lost - n * change
    if spread <= 0:
        return 0.5 if off == 0 else float(off > 0)
    return float(ndtr(off / np.sqrt(spread)))


def tango_interval(lost: float, gained: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """The changes that tango does not reject on either side; n = 0 says nothing: (-1, 1)."""
    if n == 0:
        return -1.0, 1.0
    level, edge = (1 - confidence) / 2, 1 - 1e-9

    def bound(target: float) -> float:
        return float(brentq(lambda change: tango(lost, gained, n, change) - target, -edge, edge, xtol=1e-9))

    return (bound(1 - level) if lost < n else -1.0), (bound(level) if gained < n else 1.0)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values that bound the chance of any false finding (Holm 1979), in the order given."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted


def least(holds: Callable[[int], bool], start: int, most: int) -> int | None:
    """The smallest whole number from start to most at which holds, once true, stays true; None where there is none."""
    low, high = start - 1, max(start, 1)
    while not holds(high):
        if high >= most:
            return None
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _tails(successes: float | Numbers, n: float, rate: float) -> tuple[Numbers, Numbers]:
    """The chance of at least, and of at most, so many successes, half the chance of just so many in each."""
    k = np.asarray(successes, dtype=float)
    reach, pass_ = (np.maximum(k, _TINY), n - k + 1), (k + 1, np.maximum(n - k, _TINY))
    return (betainc(*reach, rate) + betainc(*pass_, rate)) / 2, (betaincc(*reach, rate) + betaincc(*pass_, rate)) / 2
