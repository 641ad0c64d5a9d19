"""Statistics of one method in every language, all on the same resamples: accuracy, flips, F1, calibration, radius."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import rankdata

from training.evaluation.outcomes import Judged, Radius
from training.evaluation.resampling import Bootstrap, Columns, Numbers, Resamples, quotient, ratio
from training.evaluation.runs import Runs, gathered, share_right

BINS = 10
"""Bins of confidence, equally wide, of the expected calibration error."""


class Scores:
    """Every statistic of the runs of one method."""

    def __init__(self, runs: Runs, rng: np.random.Generator, draws: int = 1000) -> None:
        self.runs = runs
        self._resamples = Resamples(runs.ids, len(runs.evaluations), rng, draws)

    def accuracy(self, part: str) -> Bootstrap:
        """Share right; under a battery or an attack: right before and after, of the texts it could touch."""
        return self._resamples.rates(self.runs.columns(part, share_right))

    def clean_twins(self, part: str) -> Bootstrap:
        """Share right on the clean twins of the texts of a noisy or attacked part."""
        known = ("held", "fooled", "wrong_already")
        return self._resamples.rates(
            self.runs.columns(part, lambda one: (one.status in known[:2], one.status in known))
        )

    def flips(self, part: str) -> Bootstrap:
        """Share of the predictions right on the clean twin that came out wrong."""
        return self._resamples.rates(
            self.runs.columns(part, lambda one: (one.status == "fooled", one.status in ("held", "fooled")))
        )

    def macro_f1(self, part: str) -> Bootstrap:
        """F1 averaged over the labels there is gold of."""
        labels = sorted(
            {one.label for lang in self.runs.languages(part) for found in self.runs.judged(part, lang) for one in found}
        )

        def row(one: Judged) -> list[float]:
            gold, predicted = ([float(label == own) for label in labels] for own in (one.label, one.predicted))
            return [*gold, *predicted, *(a * b for a, b in zip(gold, predicted, strict=True))]

        return self._averaged(part, row, _f1)

    def calibration_error(self, part: str) -> Bootstrap:
        """Over bins of confidence: |share right - mean confidence|, weighted by the share of texts (ECE)."""

        def row(one: Judged) -> list[float]:
            gap = [0.0] * BINS
            gap[min(BINS - 1, int(one.confidence * BINS))] = one.right - one.confidence
            return [*gap, 1.0]

        def finish(sums: Numbers) -> Numbers:
            return ratio(np.abs(sums[:, :BINS]).sum(axis=1), sums[:, BINS])

        return self._averaged(part, row, finish, upward=True)

    def brier(self, part: str) -> Bootstrap:
        """Mean over texts of the sum over labels of (probability - truth) squared, 0..2."""
        return self._averaged(part, lambda one: (one.brier or 0.0, float(one.brier is not None)), quotient)

    def radius(self) -> Bootstrap | None:
        """Median radius (of two middle ones the lower), a censored one counting as the end of the grid."""
        return self._of_radii(
            lambda one: one.radius, lambda found: self._resamples.statistic(found.ids, _median_of(found.values[..., 0]))
        )

    def censored(self) -> Bootstrap | None:
        """Share of the radii that reach the end of the grid."""
        return self._of_radii(lambda one: one.censored, lambda found: self._resamples.of_sums(found, quotient))

    def _averaged(
        self,
        part: str,
        row: Callable[[Judged], Sequence[float]],
        finish: Callable[[Numbers], Numbers],
        upward: bool = False,
    ) -> Bootstrap:
        by_language = self.runs.columns(part, row)
        values = [self._resamples.of_sums(found, finish) for found in by_language.values()]
        n = tuple(len(found.ids) for found in by_language.values())
        return Bootstrap(tuple(by_language), np.stack(values, axis=1), n, upward=upward)

    def _of_radii(self, value: Callable[[Radius], float], statistic: Callable[[Columns], Numbers]) -> Bootstrap | None:
        radii = self.runs.radii()
        if not radii:
            return None
        found = [
            gathered([[(one.id, (value(one), 1.0)) for one in own] for own in by_seed]) for by_seed in radii.values()
        ]
        values = np.stack([statistic(own) for own in found], axis=1)
        return Bootstrap(tuple(radii), values, tuple(len(own.ids) for own in found))


def correlation(a: Bootstrap, b: Bootstrap) -> Bootstrap:
    """Spearman's rank correlation across the languages both have, in every resample; the languages stay as they are."""
    names = [name for name in a.names if name in b.names]
    ranks = [
        rankdata(one.values[:, [one.names.index(name) for name in names]], axis=1, nan_policy="propagate")
        for one in (a, b)
    ]
    x, y = (one - one.mean(axis=1, keepdims=True) for one in ranks)
    rho = ratio((x * y).sum(axis=1), np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1)))
    return Bootstrap(("rho",), rho[:, None], (len(names),))


def _f1(sums: Numbers) -> Numbers:
    """Mean F1 of the labels with gold, from sums of (gold, predicted, both)."""
    gold, predicted, both = np.split(sums, 3, axis=1)
    return ratio(((gold > 0) * np.nan_to_num(ratio(2 * both, gold + predicted))).sum(axis=1), (gold > 0).sum(axis=1))


def _median_of(values: Numbers) -> Callable[[Numbers, int], Numbers]:
    """The weighted lower median of each seed's values (seeds, ids)."""

    def median(weights: Numbers, seed: int) -> Numbers:
        order = np.argsort(values[seed], kind="stable")
        reached = np.cumsum(weights[:, order], axis=1)
        middle = values[seed][order][(reached >= reached[:, -1:] / 2).argmax(axis=1)]
        return np.where(reached[:, -1] > 0, middle, np.nan)

    return median
