"""Tests of rates and of paired changes: against scipy, against brute force, and by how often they err."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import ndtr
from scipy.stats import binom, binomtest

from probes.statistics.significance import least, mcnemar, mid_p, mid_p_interval, tango, tango_interval


@given(st.integers(1, 200), st.data())
def test_mid_p_is_the_binomial_tail_with_half_of_what_was_seen(n, data):
    k, rate = data.draw(st.integers(0, n)), data.draw(st.floats(0.01, 0.99))
    above = binom.sf(k, n, rate) + binom.pmf(k, n, rate) / 2
    assert float(mid_p(k, n, rate)) == pytest.approx(min(1, 2 * min(above, 1 - above)), abs=1e-9)


@settings(max_examples=50)
@given(st.integers(1, 500), st.sampled_from([0.9, 0.95, 0.999]), st.data())
def test_the_interval_is_what_mid_p_does_not_reject(n, confidence, data):
    k = data.draw(st.integers(0, n))
    low, high = mid_p_interval(k, n, confidence)
    assert 0 <= low <= k / n <= high <= 1
    for bound in (low, high):
        if 0 < bound < 1:
            assert float(mid_p(k, n, bound)) == pytest.approx(1 - confidence, rel=1e-3)


def test_the_interval_without_flips_and_without_tries():
    assert mid_p_interval(0, 0) == (0, 1)
    assert mid_p_interval(0, 100) == (0, pytest.approx(1 - 0.05 ** (1 / 100), abs=1e-6))
    assert mid_p_interval(2.5, 12.5)[0] > 0, "effective sizes need not be whole"


def coverage(rate: float, n: int) -> float:
    """The exact chance that the interval holds the rate."""
    intervals = [mid_p_interval(k, n) for k in range(n + 1)]
    return float(sum(binom.pmf(k, n, rate) for k, (low, high) in enumerate(intervals) if low <= rate <= high))


def test_the_interval_covers_93_to_97_of_100():
    found = [coverage(rate, n) for n in (50, 100) for rate in (0.05, 0.1, 0.2, 0.3, 0.5)]
    assert 0.94 <= np.mean(found) <= 0.96 and all(0.93 <= one <= 0.97 for one in found), found


def test_the_intervals_of_many_cells_cover_together():
    rng, cells, n = np.random.default_rng(0), 60, 100
    bounds = np.array([mid_p_interval(k, n, 1 - 0.05 / cells) for k in range(n + 1)])
    rates = rng.uniform(0.02, 0.5, cells)
    low, high = np.moveaxis(bounds[rng.binomial(n, rates, (4000, cells))], -1, 0)
    assert 0.93 <= ((low <= rates) & (rates <= high)).all(axis=1).mean() <= 0.97


def test_mcnemar():
    assert mcnemar(0, 0) == 1
    assert mcnemar(1, 9) == mcnemar(9, 1) == pytest.approx(binomtest(1, 10).pvalue) == pytest.approx(22 / 1024)


def restricted(lost: int, gained: int, n: int, change: float) -> float:
    """The share lost that is likeliest if the change were this one, by search."""

    def unlikely(back: float) -> float:
        rest = 1 - 2 * back - change
        return -sum(
            count * np.log(max(chance, 1e-300)) for count, chance in
            ((lost, back), (gained, back + change), (n - lost - gained, rest))
        )  # fmt: skip

    low, high = max(0.0, -change), (1 - change) / 2
    return float(minimize_scalar(unlikely, bounds=(low, high), method="bounded", options={"xatol": 1e-10}).x)


@pytest.mark.parametrize(("lost", "gained", "n"), [(5, 2, 40), (1, 9, 60), (12, 12, 100), (3, 1, 20)])
@pytest.mark.parametrize("change", [-0.2, -0.05, 0.0, 0.1])
def test_tango_is_the_score_test_at_the_restricted_maximum(lost, gained, n, change):
    back = restricted(lost, gained, n, change)
    spread = np.sqrt(n * (2 * back + change - change**2))
    z = (gained - lost - n * change) / spread
    assert tango(lost, gained, n, change) == pytest.approx(float(ndtr(z)), abs=1e-4)


def test_tango_at_no_change_is_mcnemar_and_knows_doubt_where_nothing_changed():
    assert tango(4, 9, 50, 0.0) == pytest.approx(0.9172, abs=1e-4), "z = 5 / sqrt(13)"
    assert tango(0, 0, 50, 0.0) == 0.5
    low, high = tango_interval(0, 0, 50)
    assert low == pytest.approx(-high) and 0.05 < high < 0.09
    assert tango_interval(0, 0, 0) == (-1, 1)
    assert tango_interval(10, 0, 10)[0] == -1 and tango_interval(0, 10, 10)[1] == 1


def test_tango_covers_what_is_true():
    rng = np.random.default_rng(1)
    drawn = rng.multinomial(80, [0.12, 0.05, 0.83], 1500)
    hits = [low <= -0.07 <= high for lost, gained, _ in drawn for low, high in [tango_interval(lost, gained, 80)]]
    assert 0.93 <= np.mean(hits) <= 0.97


def test_least():
    assert least(lambda n: n >= 137, 3, 10_000) == 137
    assert least(lambda n: n >= 3, 3, 10_000) == 3
    assert least(lambda n: False, 3, 10_000) is None
