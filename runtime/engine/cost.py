"""What a run costs: seconds = fixed + by area + by rows x longest^2, learned run by run, with forgetting."""

from __future__ import annotations

import math
from collections.abc import Sequence

FORGET = 0.99
"""Weight of a run beside the one after it: about a hundred runs are remembered."""
_SCALE = (1.0, 1 / 512, 1 / (16 * 32 * 32))
"""Brings the three terms of a middling run (16 rows of 32 tokens) to one."""
_PRIOR = (0.001, 0.02, 0.0)
"""Seconds of each term of that run before anything was measured: a slow CPU."""
_HOLD = 0.5
"""Weight, in runs, of the coefficients as calibrated: holds what the traffic says nothing about."""
_ROUGH = 0.5
"""Relative error from which the pull of a run grows no further: a hiccup must not move the model."""
_QUANTILE = 0.95
_STEP = 0.02
"""How far one run moves what is learned beside the terms: little, or admission and its promises would flutter."""


class CostModel:
    """Predicts the seconds of a run and of a queue. Not safe for several threads: the engine's lock covers it."""

    def __init__(self, run_s: float = 0.02) -> None:
        """`run_s` is how long a run should be when more work waits."""
        self._run_s = run_s
        self._terms = list(_PRIOR)
        self._held = tuple(_PRIOR)
        self._moments = [[0.0] * 3 for _ in range(3)]
        self._targets = [0.0] * 3
        self._by_length: dict[int, float] = {}
        self._padding, self._typical_area, self._pace = 1.3, 512.0, 1.0
        self._full_runs = 0
        self._usual, self._lately = 1.5, 1.0
        self.safety = 1.5
        """How much longer than expected runs may take: most stay below; more when the last few ran on."""
        self.error = 0.0
        """Mean relative error of late: |actual - expected| / expected."""

    def run(self, rows: int, longest: int) -> float:
        """Expected seconds of a run."""
        return self._plain(rows, longest) * self._by_length.get(longest.bit_length(), 1.0)

    @property
    def target_s(self) -> float:
        """How long a run may be expected to take; where starting one is dear, longer than was wanted."""
        return max(self._run_s, 2 * self._terms[0])

    @property
    def full_area(self) -> float:
        """Padded tokens of a run of that length."""
        return (self.target_s - self._terms[0]) / (self._terms[1] * _SCALE[1])

    def full_rates(self) -> tuple[float, float]:
        """Seconds by token and by squared length of rows in full runs: the least they can cost."""
        fixed, area, square = self._terms
        return self._padding * (area * _SCALE[1] + fixed / self.full_area), self._padding * square * _SCALE[2]

    def queue_rates(self) -> tuple[float, float]:
        """Seconds by token and by squared length of rows that wait, in runs as full and as padded as of late."""
        fixed, area, square = self._terms
        pace = self._pace * self._padding
        return pace * (area * _SCALE[1] + fixed / self._typical_area), pace * square * _SCALE[2]

    def calibrate(self, runs: Sequence[tuple[int, int, float]]) -> None:
        """Start from runs (rows, longest, seconds) made for this; what is learned later leans on them."""
        for _ in range(5):
            for rows, longest, seconds in runs:
                self._learn_terms(rows, longest, seconds, rough=math.inf)
        self._held = (self._terms[0], self._terms[1], self._terms[2])
        self._by_length.clear()
        self._typical_area = self.full_area

    def learn(self, rows: int, longest: int, tokens: int, seconds: float, *, backlog: bool) -> None:
        """A run has taken so long; `backlog` says it was as full as runs are when more work waits."""
        expected = self.run(rows, longest)
        ratio = seconds / expected
        self.error += 0.05 * (min(abs(ratio - 1), 10.0) - self.error)
        # a step up for what lies above, a small one down for what lies below: settles at the quantile
        step = _STEP * (_QUANTILE if ratio > self._usual else _QUANTILE - 1)
        self._usual = min(3.0, max(1.1, self._usual + step))
        self._lately += (min(2.5, ratio) - self._lately) / 8
        self.safety = max(self._usual, self._lately)
        self._learn_terms(rows, longest, seconds)
        length = longest.bit_length()
        left = min(2.0, max(0.5, seconds / self.run(rows, longest)))
        self._by_length[length] = self._by_length.get(length, 1.0) * (1 + 0.05 * (left - 1))
        if backlog:
            area = rows * longest
            self._full_runs += 1
            step = max(_STEP, 1 / (4 + self._full_runs))
            self._typical_area += step * (area - self._typical_area)
            self._padding += step * (area / tokens - self._padding)
            self._pace += step * (min(1.5, seconds / self._plain(rows, longest)) - self._pace)

    def _plain(self, rows: int, longest: int) -> float:
        fixed, area, square = self._terms
        return fixed + rows * longest * (area * _SCALE[1] + longest * square * _SCALE[2])

    def _learn_terms(self, rows: int, longest: int, seconds: float, rough: float = _ROUGH) -> None:
        """Least squares of relative errors, weighted by age, no coefficient negative."""
        expected = max(self._plain(rows, longest), 1e-7)
        seen = (1.0, rows * longest * _SCALE[1], rows * longest * longest * _SCALE[2])
        off = abs(seconds / expected - 1)
        weight = (rough / off if off > rough else 1.0) / (expected * expected)
        for i in range(3):
            for j in range(3):
                self._moments[i][j] = FORGET * self._moments[i][j] + weight * seen[i] * seen[j]
            self._targets[i] = FORGET * self._targets[i] + weight * seen[i] * seconds
        self._solve()

    def _solve(self) -> None:
        """Coordinate by coordinate, each at least zero; written out, for it follows every run."""
        one, two, three = self._terms
        hold = _HOLD / (one + two + three + 1e-6) ** 2
        (aa, ab, ac), (_, bb, bc), (_, _, cc) = self._moments
        a, b, c = (target + hold * held for target, held in zip(self._targets, self._held, strict=True))
        for _ in range(8):
            one = (a - ab * two - ac * three) / (aa + hold)
            one = one if one > 0 else 0.0
            two = (b - ab * one - bc * three) / (bb + hold)
            two = two if two > 1e-6 else 1e-6  # some price for every token, or a run would know no end
            three = (c - ac * one - bc * two) / (cc + hold)
            three = three if three > 0 else 0.0
        self._terms = [one, two, three]
