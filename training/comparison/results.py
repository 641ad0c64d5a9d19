"""What an arm gives and what it changes: accuracies of its own, and paired differences to its control."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from probes.statistics.significance import holm
from training.evaluation import Difference, Evaluation, EvaluationError
from training.evaluation.outcomes import UNTRIED, Judged
from training.evaluation.resampling import Bootstrap, Estimate, Numbers, Resamples, difference
from training.evaluation.runs import Runs, alike, share_right
from training.evaluation.scoring import Scores
from training.evaluation.summary import ENGLISH, matrix_languages

DRAWS = 10_000
"""Resamples: those of a simultaneous interval lie far out, and Holm's p are small."""
MARGIN = 0.005
"""A loss of clean accuracy that is let pass: half a point."""
MEAN, FOREIGN, WORST = "mean", "mean without English", "worst"
ROBUST = "robust"
"""Of a language: the mean over the noisy and attacked parts that have the most languages."""


@dataclass(frozen=True, slots=True)
class Gap:
    """An arm minus its control in one part and language (or mean); `adjusted` is p after Holm, within its family."""

    part: str
    lang: str
    ours: float
    theirs: float
    difference: Difference
    adjusted: float = 1.0

    @property
    def verdict(self) -> str:
        """better, worse, or no difference shown, at an adjusted p below 0.05."""
        if self.adjusted >= 0.05:
            return "no difference shown"
        return "better" if self.difference.value > 0 else "worse"


@dataclass(frozen=True)
class Own:
    """What an arm is worth by itself."""

    accuracy: Mapping[str, Bootstrap]
    """By part; "generalized" by language of the text, over pairs with another language."""
    radius: Estimate | None
    calibration_error: Estimate | None
    brier: Estimate | None


@dataclass(frozen=True)
class Against:
    """What an arm changes: gaps by language, of means, and the two that the verdict rests on."""

    languages: tuple[Gap, ...]
    means: tuple[Gap, ...]
    robust: Gap | None
    """In the language that is worst for each of the two; lang names ours and theirs."""
    clean: Gap
    parts: tuple[str, ...]
    """Those that `robust` is the mean of."""

    @property
    def clean_kept(self) -> bool:
        """Whether a loss of more than the margin is ruled out in the clean mean."""
        return self.clean.difference.low >= -MARGIN

    @property
    def wins(self) -> bool:
        """Better where it is worst, and not worse on clean texts by more than the margin."""
        return self.robust is not None and self.robust.verdict == "better" and self.clean_kept


def own(evaluations: Sequence[Evaluation], seed: int = 0) -> Own:
    """The runs of one arm; `seed` is that of the bootstrap."""
    runs = Runs(evaluations)
    scores, fine = (Scores(runs, np.random.default_rng(seed), draws) for draws in (1000, DRAWS))
    radius = scores.radius()
    return Own(
        {part: by_language(part, fine.accuracy(part)) for part in runs.parts},
        radius.mean() if radius else None,
        scores.calibration_error("clean").mean(),
        scores.brier("clean").mean(),
    )


def against(ours: Sequence[Evaluation], theirs: Sequence[Evaluation], *, seed: int = 0, draws: int = DRAWS) -> Against:
    """The first minus the second; Holm within languages x parts, and means.

    ours[k] and theirs[k] are runs of the same training seed. Seeds and texts are resampled for both at once, texts of
    every language by id; what only one of the two was tried on is left out. EvaluationError where the two cannot be
    compared.
    """
    pair = _Pair(ours, theirs, np.random.default_rng(seed), draws)
    rates = {part: pair.rates(part) for part in pair.parts}
    languages = [
        _gap(part, lang, found, _only(lang))
        for part, found in rates.items()
        for lang in found.drawn[0].names
        if not np.isnan([one.values[0, one.names.index(lang)] for one in found.drawn]).any()
    ]
    probed = {part: found.drawn[0].names for part, found in rates.items() if ":" in part}
    most = max(probed.values(), key=len, default=())
    widest = tuple(part for part, names in probed.items() if names == most)
    means = [
        _gap(part, name, found, over)
        for part, found in rates.items()
        for name, over in ((MEAN, _mean), (FOREIGN, _foreign))
        if over is _mean or set(found.drawn[0].names) - {ENGLISH}
    ]
    return Against(
        _adjusted(languages),
        _adjusted(means),
        _robust([rates[part] for part in widest]) if widest else None,
        _gap("clean", MEAN, rates["clean"], _mean),
        widest,
    )


def judged_together(found: Mapping[str, Against]) -> dict[str, Against]:
    """The arms with Holm across them all, for the worst language and for the clean mean."""
    robust = _adjusted([one.robust for one in found.values() if one.robust])
    clean = _adjusted([one.clean for one in found.values()])
    left = iter(robust)
    return {
        name: replace(one, robust=next(left) if one.robust else None, clean=gap)
        for (name, one), gap in zip(found.items(), clean, strict=True)
    }


def by_language(part: str, found: Bootstrap) -> Bootstrap:
    """Pairs of languages as languages of the text: the mean over its pairs with another language."""
    if part != "generalized":
        return found
    langs = matrix_languages(found.names)
    mixed = [[found.names.index(f"{lang}-{other}") for other in langs if other != lang] for lang in langs]
    values = np.stack([found.values[:, places].mean(axis=1) for places in mixed], axis=1)
    return Bootstrap(tuple(langs), values, tuple(sum(found.n[place] for place in places) for places in mixed))


_Two = tuple[Bootstrap, Bootstrap]
"""Share right of an arm and of its control, by language."""


class _Rates(NamedTuple):
    """Two arms under the resamples, and apart: after the sample itself, a row for each seed alone."""

    drawn: _Two
    apart: _Two


class _Pair:
    """Two arms under the same resamples of seeds and texts, on the texts that every run of both was tried on."""

    def __init__(
        self, ours: Sequence[Evaluation], theirs: Sequence[Evaluation], rng: np.random.Generator, draws: int
    ) -> None:
        self._runs = Runs(ours), Runs(theirs)
        alike(ours[0], theirs[0])
        if len(ours) != len(theirs):
            raise EvaluationError(
                f"{len(ours)} runs against {len(theirs)}: runs are paired by training seed, so give as many of each"
            )
        ids = set.union(*(runs.ids for runs in self._runs))
        self._made = Resamples(ids, len(ours), rng, draws), Resamples.apart(ids, len(ours))

    @property
    def parts(self) -> tuple[str, ...]:
        return self._runs[0].parts

    def rates(self, part: str) -> _Rates:
        """Share right of both, by language."""
        tried = self._tried(part)

        def row(one: Judged) -> tuple[float, float]:
            return share_right(one) if (one.lang, one.id) in tried else (0.0, 0.0)

        ours, theirs = (runs.columns(part, row) for runs in self._runs)
        return _Rates(
            *((by_language(part, made.rates(ours)), by_language(part, made.rates(theirs))) for made in self._made)
        )

    def _tried(self, part: str) -> set[tuple[str, str]]:
        return set.intersection(
            *(
                {(one.lang, one.id) for one in found.judged if one.part == part and one.status not in UNTRIED}
                for runs in self._runs
                for found in runs.evaluations
            )
        )


_Over = Callable[[Bootstrap], tuple[Numbers, int]]
"""A number out of a bootstrap: its values (1 + draws,), and the judgements of one seed that it rests on."""


def _gap(part: str, lang: str, found: _Rates, over: _Over) -> Gap:
    ((ours, n), (theirs, _)), ((one, _), (other, _)) = (map(over, two) for two in found)
    return Gap(part, lang, float(ours[0]), float(theirs[0]), difference(ours - theirs, (one - other)[1:], n))


def _only(lang: str) -> _Over:
    return lambda found: _average(found, [lang])


def _mean(found: Bootstrap) -> tuple[Numbers, int]:
    return _average(found, found.names)


def _foreign(found: Bootstrap) -> tuple[Numbers, int]:
    return _average(found, [name for name in found.names if name != ENGLISH])


def _average(found: Bootstrap, names: Iterable[str]) -> tuple[Numbers, int]:
    """Mean over the languages in which anything was tried."""
    every = [found.names.index(name) for name in names]
    places = [place for place in every if not np.isnan(found.values[0, place])]
    if not places:
        return np.full(len(found.values), np.nan), 0
    return found.values[:, places].mean(axis=1), sum(found.n[place] for place in places)


def _robust(parts: Sequence[_Rates]) -> Gap:
    """The lowest mean of parts of any language, of each arm its own; of a seed alone, its own too."""
    ours, theirs, one, other = (
        np.mean([two[side].values for two in of_parts], axis=0)
        for of_parts in zip(*parts, strict=True)
        for side in (0, 1)
    )
    where = [int(np.nanargmin(values[0])) for values in (ours, theirs)]
    said = " / ".join(dict.fromkeys(parts[0].drawn[0].names[place] for place in where))
    n = sum(found.drawn[0].n[where[0]] for found in parts)
    ours, theirs, one, other = (np.nanmin(values, axis=1) for values in (ours, theirs, one, other))
    gap = difference(ours - theirs, (one - other)[1:], n)
    return Gap(ROBUST, said, float(ours[0]), float(theirs[0]), gap)


def _adjusted(gaps: Sequence[Gap]) -> tuple[Gap, ...]:
    """One family under Holm."""
    return tuple(
        replace(gap, adjusted=p) for gap, p in zip(gaps, holm([one.difference.p for one in gaps]), strict=True)
    )
