"""What a report says across languages: the mean, the worst, how far apart, and what is lost on the way from one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from probes import languages
from probes.report import UNTARGETED, Outcome, Report
from probes.statistics.intervals import Counts, Share, effective_size, rate_interval, share
from probes.statistics.sequential import Cell
from probes.statistics.significance import Numbers, mid_p_interval

Name = TypeVar("Name", bound=Hashable)

Judge = Callable[[Outcome], bool | None]
"""Whether an outcome is a hit; None where it is no trial."""

# Weights of texts held at once.
WEIGHTS = 1_000_000

SETTLED = ("held", "fooled", "wrong_already")


def _clean(o: Outcome) -> bool | None:
    return o.predicted_before == o.label if o.gold and o.predicted_before is not None else None


def _robust(o: Outcome) -> bool | None:
    return o.status == "held" if o.gold and o.status in SETTLED else None


def _held(o: Outcome) -> bool | None:
    return o.status == "held" if o.status in SETTLED[:2] else None


def _flipped(o: Outcome) -> bool | None:
    return o.status == "fooled" if o.status in SETTLED[:2] else None


QUANTITIES: Mapping[str, Judge] = {
    "robust-accuracy": _robust,
    "clean-accuracy": _clean,
    "held": _held,
    "flip-rate": _flipped,
}
"""robust-accuracy: right before and after, of all settled tries with gold label. clean-accuracy: of all texts with gold
label. held: the label stayed, of the tries that could flip; flip-rate: it did not."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval; n is the number of trials it rests on."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Across:
    """A quantity in every language: hits and trials of each text, by language.

    Intervals over several languages resample texts by their ids, so that translations of one text go together.
    """

    quantity: str
    counts: Mapping[str, Mapping[str, Counts]]
    confidence: float = 0.95
    seed: int = 0
    resamples: int = 2000

    @property
    def upside_down(self) -> bool:
        """Whether less is better."""
        return self.quantity == "flip-rate"

    def language(self, lang: str) -> Share | None:
        """One language, with Wilson's interval at the effective size; None where nothing was tried."""
        return share(list(self.counts.get(lang, {}).values()), self.confidence)

    def worst(self) -> tuple[str, Estimate] | None:
        """The language of the worst value, and where the worst of all true values lies.

        Every language has a mid-p interval at 1 - (1 - confidence) / languages (Bonferroni), so that all hold at once;
        the worst true value then lies between the worst of the lower and the worst of the upper bounds. The plain
        interval of the worst would be too hopeful: it was chosen for being low.
        """
        return extreme(self.counts, self.confidence, largest=self.upside_down)

    def mean(self) -> Estimate | None:
        """The mean over languages, each counting the same."""
        found = self._estimate(lambda rates: rates.mean(axis=-1), lambda low, high: (low.mean(), high.mean()))
        if found is None or 0 < found.value < 1:
            return found
        size = sum(effective_size(list(counts.values())) for counts in self.counts.values())
        low, high = mid_p_interval(found.value * size, size, self.confidence)  # resampling knows no doubt here
        return Estimate(found.value, low, high, found.n)

    def spread(self) -> Estimate | None:
        """The best language minus the worst, with a basic bootstrap interval: chance alone pushes it above zero."""
        return self._estimate(lambda rates: np.ptp(rates, axis=-1), _apart, upward=True)

    def deviation(self) -> Estimate | None:
        """The standard deviation over languages (divisor: their number), with a basic bootstrap interval."""

        def bounds(low: Numbers, high: Numbers) -> tuple[float, float]:
            nearest, farthest = _apart(low, high)  # the least and the most that values so far apart deviate
            return nearest / float(np.sqrt(2 * len(low))), farthest / 2

        return self._estimate(lambda rates: rates.std(axis=-1), bounds, upward=True)

    def transfer_gap(self, reference: str = "en") -> Estimate | None:
        """The reference language minus the mean of the others; None where either is missing."""
        named = languages.named(reference, self._names)
        if named is None or len(self._names) < 2:
            return None
        here = self._names.index(named)

        def gap(rates: Numbers, others: Numbers) -> Numbers:
            return np.asarray(rates[..., here] - np.delete(others, here, axis=-1).mean(axis=-1))

        return self._estimate(
            lambda rates: gap(rates, rates), lambda low, high: (float(gap(low, high)), float(gap(high, low)))
        )

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(sorted(lang for lang, counts in self.counts.items() if any(n for _, n in counts.values())))

    @cached_property
    def _rates(self) -> Numbers:
        """Rates by language, shape (1 + resamples, languages): the sample itself, then resampled; nan: none drawn."""
        ids = sorted({id_ for lang in self._names for id_ in self.counts[lang]})
        place = {id_: i for i, id_ in enumerate(ids)}
        columns = [
            ([place[id_] for id_ in self.counts[lang]], np.array(list(self.counts[lang].values()), dtype=float))
            for lang in self._names
        ]
        rng, even = np.random.default_rng(self.seed), np.full(len(ids), 1 / len(ids))
        sums = [[weights[:, places] @ values for places, values in columns] for weights in self._weights(rng, even)]
        hits, n = np.moveaxis(np.concatenate([np.stack(block, axis=1) for block in sums]), -1, 0)
        return np.asarray(np.divide(hits, n, out=np.full(hits.shape, np.nan), where=n > 0))

    def _weights(self, rng: np.random.Generator, even: Numbers) -> Iterator[Numbers]:
        """How often each text counts: once, then as drawn, in blocks that fit into memory."""
        yield np.ones((1, len(even)))
        block = max(1, WEIGHTS // len(even))
        for start in range(0, self.resamples, block):
            yield rng.multinomial(len(even), even, min(block, self.resamples - start)).astype(float)

    def _bounds(self) -> tuple[Numbers, Numbers]:
        """Mid-p intervals of all languages that hold at once (Bonferroni)."""
        level = 1 - (1 - self.confidence) / len(self._names)
        low, high = zip(*(rate_interval(self.counts[lang], level) for lang in self._names), strict=True)
        return np.array(low), np.array(high)

    def _estimate(
        self,
        of: Callable[[Numbers], Numbers],
        bounds: Callable[[Numbers, Numbers], tuple[float, float]],
        upward: bool = False,
    ) -> Estimate | None:
        """The value of the rates; where all are 0 or 1, so that no resample differs, bounds come from theirs."""
        if not self._names:
            return None
        values = of(self._rates)
        value, drawn = float(values[0]), values[1:][~np.isnan(values[1:])]
        tail = (1 - self.confidence) / 2
        if np.isin(self._rates[0], (0.0, 1.0)).all():
            low, high = bounds(*self._bounds())
        else:
            low, high = np.quantile(drawn, [tail, 1 - tail]) if drawn.size else (value, value)
            if upward:
                low, high = max(0.0, 2 * value - high), max(0.0, 2 * value - low)
        n = int(sum(trials for lang in self._names for _, trials in self.counts[lang].values()))
        return Estimate(value, float(low), float(high), n)


def across(
    report: Report, quantity: str, *, step: str | None = None, confidence: float = 0.95, seed: int = 0
) -> Across:
    """A quantity of QUANTITIES in every language, in one step or all; a language without a trial has no counts.

    Cells under the battery's coverage count only in clean accuracy, attacks with another goal than the label lost only
    there and in their own step.
    """
    clean = quantity == "clean-accuracy"
    sparse = {(row.lang, row.step) for row in report.rows() if row.sparse} if not clean else set()
    groups: dict[str, dict[str, Counts]] = {}
    for o in report.outcomes:
        group = groups.setdefault(o.lang, {})
        if clean or ((o.lang, o.step) not in sparse and (o.step == step if step else o.goal == UNTARGETED)):
            _count(group, o, QUANTITIES[quantity], once=clean)
    return Across(quantity, dict(sorted(groups.items())), confidence, seed)


def by_cell(report: Report, quantity: str, step: str | None = None) -> dict[Cell, dict[str, Counts]]:
    """Hits and trials of each text, by language and step, without the cells under the battery's coverage.

    Attacks with another goal than the label lost count only in clean accuracy, and where their step is asked for.
    """
    sparse = {(row.lang, row.step) for row in report.rows() if row.sparse}
    groups: dict[Cell, dict[str, Counts]] = {}
    for o in report.outcomes:
        losing = o.goal == UNTARGETED or quantity == "clean-accuracy" or o.step == step
        if losing and (o.lang, o.step) not in sparse:
            _count(groups.setdefault((o.lang, o.step), {}), o, QUANTITIES[quantity])
    return dict(sorted(groups.items()))


def _count(found: dict[str, Counts], outcome: Outcome, judge: Judge, once: bool = False) -> None:
    """Take in an outcome; once: a text counts once, whatever was done to it."""
    hit = judge(outcome)
    if hit is not None and not (once and outcome.example in found):
        hits, n = found.get(outcome.example, (0, 0))
        found[outcome.example] = (hits + hit, n + 1)


def _apart(low: Numbers, high: Numbers) -> tuple[float, float]:
    """How far apart values with these bounds are at least, and at most."""
    if len(low) < 2:
        return 0.0, 0.0
    return max(0.0, float(low.max() - high.min())), float(high.max() - low.min())


def extreme(
    groups: Mapping[Name, Mapping[str, Counts]], confidence: float, *, largest: bool = False
) -> tuple[Name, Estimate] | None:
    """The group of the lowest (or largest) rate, with the interval of the lowest true rate; see Across.worst."""
    counts = {name: list(its.values()) for name, its in groups.items() if its}
    if not counts:
        return None
    pick = max if largest else min
    found: dict[Name, Estimate] = {}
    for name, pairs in counts.items():
        hits, n = sum(h for h, _ in pairs), sum(t for _, t in pairs)
        low, high = rate_interval(groups[name], 1 - (1 - confidence) / len(counts))
        found[name] = Estimate(hits / n, low, high, int(n))
    name = pick(found, key=lambda one: found[one].value)
    low, high = pick(one.low for one in found.values()), pick(one.high for one in found.values())
    return name, Estimate(found[name].value, low, high, found[name].n)
