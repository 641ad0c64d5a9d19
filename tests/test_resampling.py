"""Intervals of the two-level bootstrap: their confidence, and how often they cover the truth when seeds are few."""

from __future__ import annotations

import numpy as np
import pytest

from training.evaluation.resampling import Bootstrap, Numbers, Resamples, difference


def test_a_difference_of_few_seeds_covers_the_truth_as_often_as_it_says() -> None:
    """Seeds that differ by chance alone, many texts: resampling three of them misses every fourth time."""
    rng = np.random.default_rng(5)
    resamples, apart = Resamples(["r"], 3, np.random.default_rng(0), 400), Resamples.apart(["r"], 3)
    kept = alone = 0
    for gaps in rng.standard_normal((400, 3)):

        def of_seed(weights: Numbers, seed: int, gaps: Numbers = gaps) -> Numbers:
            return np.full(len(weights), gaps[seed])

        drawn, seeds = (made.statistic(["r"], of_seed) for made in (resamples, apart))
        assert seeds == pytest.approx([gaps.mean(), *gaps])
        found = difference(drawn, seeds[1:], 1)
        assert found.p >= 0.05 or not found.low <= 0 <= found.high
        low, high = np.quantile(drawn[1:], [0.025, 0.975])
        kept, alone = kept + (found.low <= 0 <= found.high), alone + (low <= 0 <= high)
    assert alone < 0.8 * 400
    assert kept > 0.92 * 400


def test_an_interval_of_percentiles_has_the_confidence_asked_for() -> None:
    values = np.random.default_rng(0).normal(0.5, 0.1, (10_001, 4))
    values[0] = 0.5
    found = Bootstrap(tuple("abcd"), values, (9,) * 4)
    for confidence in (0.95, 0.99):
        one, ends = found.of("a", confidence), [(1 - confidence) / 2, (1 + confidence) / 2]
        assert one is not None
        assert [one.low, one.high] == pytest.approx(np.quantile(values[1:, 0], ends))
    _, worst = found.worst() or ("", None)
    assert worst is not None
    assert [worst.low, worst.high] == pytest.approx(np.quantile(values[1:], [0.00625, 0.99375], axis=0).min(axis=1))
