"""Two-level bootstrap: seeds and items are drawn anew, items for all languages and models at once, which pairs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from probes.statistics.intervals import effective_size, wilson
from training.evaluation.outcomes import EvaluationError

Numbers = NDArray[np.float64]
_BLOCK = 1000
"""Resamples weighed at once."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval; n is the number of judgements (of one seed) or of whatever else it rests on."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Columns:
    """What is summed over the items of one language: values (seeds, ids, columns); of a rate hits and trials."""

    ids: tuple[str, ...]
    values: Numbers


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """A statistic in several languages: values (1 + draws, languages), the first row on the sample itself.

    n counts judgements of one seed per language. sizes, for rates: how many independent trials each is worth.
    """

    names: tuple[str, ...]
    values: Numbers
    n: tuple[int, ...]
    sizes: tuple[float, ...] | None = None
    upward: bool = False
    """Resampling pushes the statistic up: the interval is reflected (basic bootstrap)."""

    def of(self, name: str, confidence: float = 0.95) -> Estimate | None:
        """One language: Wilson at the effective size for a rate, else percentiles; None where nothing was judged."""
        if name not in self.names or np.isnan(self.values[0, self.names.index(name)]):
            return None
        place = self.names.index(name)
        value = float(self.values[0, place])
        if self.sizes is None:
            return self._interval(self.values[:, place], self.n[place], confidence)
        low, high = wilson(value * self.sizes[place], self.sizes[place], confidence)
        return Estimate(value, low, high, self.n[place])

    def mean(self, names: Iterable[str] | None = None) -> Estimate | None:
        """Unweighted mean over languages (default: all) with its percentile interval; n sums theirs."""
        places = self._measured(self.names if names is None else names)
        if not places:
            return None
        found = self._interval(self.values[:, places].mean(axis=1), sum(self.n[place] for place in places))
        if self.sizes is None or 0 < found.value < 1:
            return found
        size = sum(self.sizes[place] for place in places)  # all right or all wrong: resampling knows no doubt
        return Estimate(found.value, *wilson(found.value * size, size), found.n)

    def contrast(self, first: Iterable[str], second: Iterable[str]) -> Estimate | None:
        """Mean over the first languages minus that over the second, with its percentile interval."""
        ours, theirs = self._measured(first), self._measured(second)
        if not ours or not theirs:
            return None
        gaps = self.values[:, ours].mean(axis=1) - self.values[:, theirs].mean(axis=1)
        return self._interval(gaps, sum(self.n[place] for place in (*ours, *theirs)))

    def gap(self, reference: str) -> Estimate | None:
        """The reference language minus the mean of the others."""
        return self.contrast([reference], set(self.names) - {reference})

    def worst(self) -> tuple[str, Estimate] | None:
        """The language of the lowest rate, and where with 95 % confidence the lowest of all true rates lies.

        Simultaneous by Bonferroni: every language at confidence 1 - 0.05 / L; the lowest true value lies between the
        smallest lower and the smallest upper bound whenever all L intervals hold.
        """
        names = [self.names[place] for place in self._measured(self.names)]
        bounds = {name: found for name in names if (found := self.of(name, 1 - 0.05 / len(names)))}
        if not bounds:
            return None
        name = min(bounds, key=lambda name: bounds[name].value)
        low, high = (min(getattr(one, side) for one in bounds.values()) for side in ("low", "high"))
        return name, Estimate(bounds[name].value, low, high, bounds[name].n)

    def _measured(self, names: Iterable[str]) -> list[int]:
        places = sorted(self.names.index(name) for name in names if name in self.names)
        return [place for place in places if not np.isnan(self.values[0, place])]

    def _interval(self, values: Numbers, n: int, confidence: float = 0.95) -> Estimate:
        value, drawn = float(values[0]), values[1:][~np.isnan(values[1:])]
        ends = [(1 - confidence) / 2, (1 + confidence) / 2]
        low, high = np.quantile(drawn, ends) if drawn.size else (value, value)
        if self.upward:
            low, high = max(0.0, 2 * value - high), max(0.0, 2 * value - low)
        return Estimate(value, float(low), float(high), n)


class Resamples:
    """Weights of items (1 + draws, items) and seeds (1 + draws, seeds), drawn once, so that all statistics are joint.

    The first row is the sample itself. Items and seeds are crossed: every seed saw the same items, so the two are
    drawn apart (Owen 2007, doi 10.1214/07-AOAS122). That errs on the wide side where things are many; of few seeds it
    knows too little, for no interval of it reaches beyond the lowest and the highest.
    """

    def __init__(self, ids: Iterable[str], seeds: int, rng: np.random.Generator, draws: int = 1000) -> None:
        self.seeds = seeds
        self._places = {id_: place for place, id_ in enumerate(sorted(set(ids)))}
        self._items = _drawn(len(self._places), draws, rng)
        self._seed_weights = _drawn(seeds, draws, rng)

    @classmethod
    def apart(cls, ids: Iterable[str], seeds: int) -> Resamples:
        """Nothing drawn: after the sample itself, on all its items, a row for each seed alone."""
        made = cls(ids, seeds, np.random.default_rng(0), draws=seeds)
        made._items[:] = 1
        made._seed_weights[1:] = np.eye(seeds)
        return made

    def statistic(self, ids: Sequence[str], of_seed: Callable[[Numbers, int], Numbers]) -> Numbers:
        """The mean over seeds of a statistic of items, shape (1 + draws,).

        of_seed takes weights of shape (block, ids) and the seed's number, and answers shape (block,). A seed whose
        statistic is not a number in a resample is left out of its mean there.
        """
        columns = [self._places[id_] for id_ in ids]
        blocks = []
        for start in range(0, len(self._items), _BLOCK):
            weights = self._items[start : start + _BLOCK, columns].astype(np.float64)
            values = np.stack([of_seed(weights, seed) for seed in range(self.seeds)], axis=1)
            shares = self._seed_weights[start : start + _BLOCK] * ~np.isnan(values)
            with np.errstate(invalid="ignore"):
                blocks.append((shares * np.nan_to_num(values)).sum(axis=1) / shares.sum(axis=1))
        return np.concatenate(blocks)

    def of_sums(self, found: Columns, finish: Callable[[Numbers], Numbers]) -> Numbers:
        """A statistic of weighted sums: finish(sums (block, columns)) -> (block,)."""
        return self.statistic(found.ids, lambda weights, seed: finish(weights @ found.values[seed]))

    def rates(self, by_language: Mapping[str, Columns]) -> Bootstrap:
        """Rates by language: hits / trials of each seed, then their mean."""
        values = [self.of_sums(found, quotient) for found in by_language.values()]
        n = tuple(round(found.values[..., 1].sum() / self.seeds) for found in by_language.values())
        sizes = tuple(_size(own, found) for own, found in zip(values, by_language.values(), strict=True))
        return Bootstrap(tuple(by_language), np.stack(values, axis=1), n, sizes)


def quotient(sums: Numbers) -> Numbers:
    """First column / second."""
    return ratio(sums[:, 0], sums[:, 1])


def ratio(above: Numbers, below: Numbers) -> Numbers:
    """The quotient, not a number where below is 0."""
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)


@dataclass(frozen=True, slots=True)
class Difference:
    """First minus second, with a 95 % interval and a two-sided p.

    The interval holds the bootstrap's and, of several seeds, the t interval of the seeds' own differences; p is the
    smallest level at which it leaves out 0. It cannot fall below 2 / (draws + 1), so a family of m tests under Holm
    needs draws well above 40 m.
    """

    value: float
    low: float
    high: float
    p: float
    n_items: int
    n_seeds: int


def difference(values: Numbers, by_seed: Numbers, n_items: int) -> Difference:
    """The difference whose bootstrap is values (1 + draws,), the first on the sample; by_seed (seeds,) is each alone's.

    Few seeds say less of the spread between them than resampling them makes believe, hence the t interval.
    """
    drawn = values[1:][~np.isnan(values[1:])]
    if np.isnan(values[0]) or not drawn.size:
        raise EvaluationError("nothing was judged in both, so there is no difference to state")
    low, high = np.quantile(drawn, [0.025, 0.975])
    tail = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    p = min(1.0, 2 * (1 + tail) / (1 + drawn.size))
    known = by_seed[~np.isnan(by_seed)]
    if len(known) > 1 and (error := known.std(ddof=1) / len(known) ** 0.5):
        reach = student.ppf(0.975, len(known) - 1) * error
        low, high = min(low, values[0] - reach), max(high, values[0] + reach)
        p = max(p, 2 * float(student.sf(abs(values[0]) / error, len(known) - 1)))
    return Difference(float(values[0]), float(low), float(high), p, n_items, len(by_seed))


def _drawn(n: int, draws: int, rng: np.random.Generator) -> NDArray[np.int16]:
    """How often each of n things is drawn; the first row draws each once."""
    weights = rng.multinomial(n, np.full(n, 1 / n), draws)
    return np.concatenate([np.ones((1, n), dtype=np.int16), weights.astype(np.int16)])


def _size(values: Numbers, found: Columns) -> float:
    """Independent trials a rate is worth: of one seed by its clusters, of several by the spread of the bootstrap."""
    if np.isnan(values[0]):
        return 0.0
    hits, trials = found.values[..., 0], found.values[..., 1]
    if len(trials) == 1:
        return effective_size(list(zip(hits[0], trials[0], strict=True)))
    rate, spread = values[0], np.nanvar(values[1:])
    if spread == 0:
        return float(trials.any(axis=0).sum())
    return float(np.clip(rate * (1 - rate) / spread, 1, trials.sum()))
