"""Verdicts: which cells of a report are robust, which fragile, and how many more texts would decide the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Literal

import numpy as np
from scipy.special import ndtri
from scipy.stats import binom

from probes.report import UNTARGETED, Outcome, Report, Row
from probes.statistics.flips import Flips, flips
from probes.statistics.intervals import Counts, Difference, effective_size
from probes.statistics.sequential import anytime_p, confidence_sequence, turn
from probes.statistics.significance import holm, least, mid_p, mid_p_interval, tango_interval

Ruling = Literal["robust", "fragile", "undecided", "not measured"]

# A decision is promised with this chance, if the rate is what it seems, and not beyond so many texts.
POWER = 0.8
MOST_TEXTS = 10_000_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one cell, against a tolerated flip rate.

    n tries on `texts` texts could flip, worth `size` independent ones. rate: flips / n. [low, high]: its interval; the
    intervals of all measured cells hold at once. p: two-sided, of the hypothesis that the rate is the tolerated one;
    adjusted: by Holm over the measured cells. robust, fragile: adjusted <= 1 - confidence and the rate is below, above.
    power: the chance that so many texts find a model robust that flips half as often as is tolerated. more: examples
    to add to those of the cell so that, undecided, it is decided with a chance of 80 % if its rate is what it seems;
    None where no number would do. lost: accuracy before minus after, over the texts with gold label that were tried;
    one that was wrong before and not asked again is wrong after; None of a run that stopped when it was decided.
    """

    lang: str
    step: str
    ruling: Ruling
    tolerated: float
    n: int
    texts: int
    size: float
    flips: int
    rate: float | None
    low: float | None
    high: float | None
    p: float | None
    adjusted: float | None
    power: float | None
    more: int | None
    lost: Difference | None
    flips_by_kind: Flips

    @property
    def said(self) -> str:
        """The verdict in one line."""
        if self.rate is None or self.low is None or self.high is None:
            return f"{self.lang} {self.step}: not measured"
        line = (
            f"{self.lang} {self.step}: {self.ruling}; {100 * self.rate:.1f} % of {self.n} tries flipped "
            f"[{100 * self.low:.1f}, {100 * self.high:.1f}], tolerated {100 * self.tolerated:g} %"
        )
        if self.ruling != "undecided":
            return line
        return (
            f"{line}; {self.more} more texts would decide" if self.more else f"{line}; no number of texts would decide"
        )


@dataclass(frozen=True, slots=True)
class _Rule:
    """How a rate is tested: p of (successes, n, rate), and the interval of (successes, n, confidence)."""

    p: Callable[[Any, float, float], Any]
    interval: Callable[[float, float, float], tuple[float, float]]


_FIXED = _Rule(mid_p, mid_p_interval)
_STOPPED = _Rule(anytime_p, confidence_sequence)


def verdicts(report: Report, *, tolerated: float = 0.1, confidence: float = 0.95) -> list[Verdict]:
    """The verdict on every cell, in the order of the report's rows; ValueError for a tolerated rate not inside 0 to 1.

    Of a run that stopped where a cell was decided, p and interval are those of a confidence sequence, which allows it;
    a cell that was decided has the p, rate and interval it had then, whatever the texts that were under way said.
    """
    if not 0 < tolerated < 1:
        raise ValueError(f"the tolerated flip rate is a share between 0 and 1, not {tolerated:g}")
    rows = {(str(row.lang), str(row.step)): row for row in report.rows()}
    level = (1 - confidence) / max(1, sum(row.measured for row in rows.values()))
    seed = report.provenance["seed"] if report.provenance.get("stopping") else None
    judge = _Judge(tolerated, confidence, level, seed)
    cells = groupby(report.ordered(("lang", "step")), key=lambda o: (o.lang, o.step))
    judged = {cell: judge(rows[cell], list(outcomes)) for cell, outcomes in cells}
    found = [judged[cell] for cell in rows]
    adjusted = iter(holm([one.p for one in found if one.p is not None]))
    return [one if one.p is None else _ruled(one, next(adjusted), 1 - confidence) for one in found]


def _ruled(one: Verdict, adjusted: float, level: float) -> Verdict:
    if adjusted > level:
        return replace(one, adjusted=adjusted)
    ruling: Ruling = "fragile" if (one.rate or 0) > one.tolerated else "robust"
    return replace(one, adjusted=adjusted, ruling=ruling, more=None)


@dataclass(frozen=True, slots=True)
class _Judge:
    """Weighs cells one by one; level is the error each is allowed, so that all together keep theirs.

    seed: of the order in which texts were asked, where cells ended when they were decided; else None.
    """

    tolerated: float
    confidence: float
    level: float
    seed: int | None

    @property
    def stopped(self) -> bool:
        return self.seed is not None

    @property
    def rule(self) -> _Rule:
        return _STOPPED if self.stopped else _FIXED

    def __call__(self, row: Row, outcomes: Sequence[Outcome]) -> Verdict:
        """The verdict on a cell, undecided as long as the other cells are not known."""
        counts = self._tries(outcomes) if row.measured else []
        found = Verdict(
            lang=str(row.lang),
            step=str(row.step),
            ruling="undecided",
            tolerated=self.tolerated,
            n=int(sum(n for _, n in counts)),
            texts=len(counts),
            size=len(counts) if self.stopped else effective_size(counts),
            flips=int(sum(hits for hits, _ in counts)),
            rate=row.rate,
            low=None,
            high=None,
            p=None,
            adjusted=None,
            power=None,
            more=None,
            lost=None if self.stopped else _lost(outcomes, self.confidence),
            flips_by_kind=flips(outcomes),
        )
        if row.rate is None:
            return replace(found, ruling="not measured")
        rate = sum(hits / n for hits, n in counts) / len(counts) if self.stopped else row.rate
        low, high = self.rule.interval(rate * found.size, found.size, 1 - self.level)
        return replace(
            found,
            rate=rate,
            low=low,
            high=high,
            p=float(self.rule.p(rate * found.size, found.size, self.tolerated)),
            power=self._power(int(found.size)),
            more=self._more(rate, found.size, len({outcome.example for outcome in outcomes})),
        )

    def _tries(self, outcomes: Sequence[Outcome]) -> list[Counts]:
        """Flips and tries of every text that could flip; where cells ended when decided, up to the text that did it."""
        found: dict[str, Counts] = {}
        for outcome in outcomes:
            if outcome.status in ("held", "fooled"):
                hits, n = found.get(outcome.example, (0, 0))
                found[outcome.example] = (hits + (outcome.status == "fooled"), n + 1)
        if self.seed is None:
            return list(found.values())
        seed, lang = self.seed, outcomes[0].lang
        counts = [found[id_] for id_ in sorted(found, key=lambda id_: (turn(seed, id_, lang), id_))]
        looks = np.cumsum([hits / n for hits, n in counts])
        p = anytime_p(looks, np.arange(1.0, len(counts) + 1), self.tolerated)
        decided = np.flatnonzero(p <= self.level)
        return counts[: decided[0] + 1] if len(decided) else counts

    def _power(self, size: int) -> float:
        """The chance that a model which flips half as often as is tolerated is found robust with so many texts."""
        few = np.arange(int(size * self.tolerated) + 1)
        enough = few[self.rule.p(few, size, self.tolerated) <= self.level]
        return float(binom.cdf(enough[-1], size, self.tolerated / 2)) if len(enough) else 0.0

    def _more(self, rate: float, size: float, examples: int) -> int | None:
        """Examples to add until the cell is decided, with a chance of POWER, if its rate is what it seems."""
        side, luck = np.sign(rate - self.tolerated), float(ndtri(POWER))
        middle = (rate + self.tolerated) / 2
        seems = (rate * size + 0.5) / (size + 1)  # where nothing flipped yet, something may
        seems = min(seems, middle) if side < 0 else max(seems, middle)

        def decided(total: int) -> bool:
            n = size * total / examples
            unlucky = seems - side * luck * np.sqrt(seems * (1 - seems) / n)
            if side * (unlucky - self.tolerated) <= 0:
                return False
            return bool(self.rule.p(np.clip(unlucky, 0, 1) * n, n, self.tolerated) <= self.level)

        total = least(decided, examples + 1, MOST_TEXTS)
        return None if total is None else total - examples


def _lost(outcomes: Sequence[Outcome], confidence: float) -> Difference | None:
    """Accuracy before minus accuracy after, each text counting once, with Tango's interval."""
    changes: dict[str, list[int]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.gold and outcome.goal == UNTARGETED and outcome.status in ("held", "fooled", "wrong_already"):
            healed = outcome.status == "wrong_already" and outcome.predicted_after == outcome.label
            changes[outcome.example].append(healed - (outcome.status == "fooled"))
    if not changes:
        return None
    means = [sum(found) / len(found) for found in changes.values()]
    lost, gained, n = -sum(m for m in means if m < 0), sum(m for m in means if m > 0), len(means)
    low, high = tango_interval(lost, gained, n, confidence)
    return Difference((lost - gained) / n, -high, -low)
