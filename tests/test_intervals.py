"""Intervals: against scipy, by hand, and by properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from probes.statistics.intervals import cluster_bootstrap, effective_size, share, wilson


def counts(most: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.integers(1, most).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts(5000), st.sampled_from([0.5, 0.9, 0.95]))
def test_wilson_is_the_score_interval_of_scipy(found, confidence):
    k, n = found
    low, high = wilson(k, n, confidence)
    expected = binomtest(k, n).proportion_ci(confidence, method="wilson")
    assert low == pytest.approx(expected.low, abs=1e-9) and high == pytest.approx(expected.high, abs=1e-9)
    assert 0 <= low <= k / n <= high <= 1


def test_wilson_by_hand():
    # z = 1.96: centre (0.5 + 0.19207) / 1.38415 = 0.5, half-width 0.2634 at 5 of 10
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="3 successes in 2 trials"):
        wilson(3, 2)


def test_draws_of_one_example_are_not_independent():
    agreeing = [(3, 3), (0, 3), (0, 3), (3, 3)]
    assert effective_size(agreeing) == 4, "draws that all agree say no more than one draw"
    assert effective_size([(1, 1), (0, 1), (1, 1)]) == 3
    spread = [(1, 2), (1, 2), (1, 2), (1, 2)]
    assert effective_size(spread) == 8
    whole = share(agreeing)
    assert whole is not None and (whole.value, whole.n) == (0.5, 12)
    assert (whole.low, whole.high) == pytest.approx(wilson(2, 4))


def test_no_flip_in_many_draws_is_still_only_so_many_examples():
    found = share([(0, 10)] * 5)
    assert found is not None and (found.low, found.high) == pytest.approx(wilson(0, 5))


def test_nothing_tried_is_no_rate():
    assert share([]) is None and share([(0, 0)]) is None


@given(st.lists(counts(4), min_size=1, max_size=30))
def test_an_effective_size_lies_between_clusters_and_trials(clusters):
    size, total = effective_size(clusters), sum(n for _, n in clusters)
    assert total**2 / sum(n * n for _, n in clusters) - 1e-9 <= size <= total + 1e-9
    found = share(clusters)
    assert found is not None and 0 <= found.low <= found.value + 1e-12 and found.value <= found.high + 1e-12 <= 1 + 1e-9


def test_a_paired_difference_is_sharper_than_an_unpaired_one():
    first = {f"e{i}": (float(i % 2), 1.0) for i in range(40)}
    second = {f"e{i}": (0.0 if i < 4 else float(i % 2), 1.0) for i in range(40)}
    paired = cluster_bootstrap(first, second, seed=1)
    unpaired = cluster_bootstrap(first, {f"other{k}": v for k, v in second.items()}, seed=1)
    assert paired is not None and unpaired is not None
    assert paired.value == unpaired.value == pytest.approx(2 / 40)
    assert paired.high - paired.low < unpaired.high - unpaired.low
    assert paired.low <= paired.value <= paired.high


def test_the_bootstrap_is_seeded_and_needs_sources():
    first = {f"a{i}": (float(i % 3 == 0), 1.0) for i in range(30)}
    second = {f"b{i}": (float(i % 5 == 0), 1.0) for i in range(30)}
    assert cluster_bootstrap(first, second, seed=3) == cluster_bootstrap(first, second, seed=3)
    assert cluster_bootstrap(first, second, seed=3) != cluster_bootstrap(first, second, seed=4)
    assert cluster_bootstrap(first, {}, seed=3) is None
    assert cluster_bootstrap(first, dict(list(second.items())[:4]), seed=3) is None


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_equal_conditions_differ_by_nothing(seed):
    same = {f"e{i}": (float(i % 2), 2.0) for i in range(10)}
    found = cluster_bootstrap(same, same, seed=seed, resamples=200)
    assert found is not None and (found.value, found.low, found.high) == (0, 0, 0)


def test_the_bootstrap_covers_a_known_difference():
    hits, rng = 0, np.random.default_rng(0)
    for seed in range(100):
        first = {f"a{i}": (float(rng.random() < 0.4), 1.0) for i in range(60)}
        second = {f"b{i}": (float(rng.random() < 0.2), 1.0) for i in range(60)}
        found = cluster_bootstrap(first, second, seed=seed, resamples=400)
        assert found is not None
        hits += found.low <= 0.2 <= found.high
    assert hits >= 88


def test_unequal_clusters_that_agree_are_worth_fewer_than_they_are():
    """Every cluster all right or all wrong: at the number of clusters the interval would hold in some 80 of 100."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(300):
        sizes = rng.choice([1, 12], 40, p=[0.8, 0.2])
        found = share([(float(n * (rng.random() < 0.4)), float(n)) for n in sizes])
        assert found is not None
        held += found.low <= 0.4 <= found.high
    assert held >= 273
    assert effective_size([(0, 10), (0, 1)]) == pytest.approx(121 / 101)


def test_few_sources_that_all_agree_are_no_certain_difference():
    held = {f"e{i}": (0.0, 1.0) for i in range(5)}
    found = cluster_bootstrap(held, held, seed=0)
    assert found is not None and found.value == 0 and found.low < -0.3 and found.high > 0.3
    fooled = {f"e{i}": (1.0, 1.0) for i in range(5)}
    found = cluster_bootstrap(fooled, held, seed=0)
    assert found is not None and found.value == 1 and found.low < 0.7 and found.high == 1
