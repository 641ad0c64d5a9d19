"""The evaluations of one method, one for each seed it was trained with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from probes.registry import unknown
from training.evaluation.outcomes import UNTRIED, Evaluation, EvaluationError, Judged, Radius
from training.evaluation.resampling import Columns


class Runs:
    """Judgements by part and language of evaluations that drew the same rows and noise."""

    def __init__(self, evaluations: Sequence[Evaluation]) -> None:
        if not evaluations:
            raise EvaluationError("there are no evaluations")
        self.evaluations = tuple(evaluations)
        for other in evaluations[1:]:
            alike(evaluations[0], other)
        self._judged: dict[tuple[str, str], list[list[Judged]]] = {}
        for number, evaluation in enumerate(evaluations):
            for one in evaluation.judged:
                by_seed = self._judged.setdefault((one.part, one.lang), [[] for _ in evaluations])
                by_seed[number].append(one)

    @property
    def parts(self) -> tuple[str, ...]:
        """Parts in the order of the suite."""
        return tuple(dict.fromkeys(part for part, _ in self._judged))

    @property
    def ids(self) -> set[str]:
        """Ids of every part."""
        judged = {one.id for evaluation in self.evaluations for one in evaluation.judged}
        return judged | {one.id for evaluation in self.evaluations for one in evaluation.radii}

    def languages(self, part: str) -> tuple[str, ...]:
        """Languages (or pairs) of a part, sorted."""
        if part not in self.parts:
            raise EvaluationError(str(unknown("part", part, self.parts)))
        return tuple(sorted(lang for own, lang in self._judged if own == part))

    def judged(self, part: str, lang: str) -> list[list[Judged]]:
        """What each seed made of one language of a part."""
        return self._judged[part, lang]

    def radii(self) -> dict[str, list[list[Radius]]]:
        """Radii of each seed, by language; none unless every run has them."""
        if not all(evaluation.radii for evaluation in self.evaluations):
            return {}
        found: dict[str, list[list[Radius]]] = {}
        for number, evaluation in enumerate(self.evaluations):
            for one in evaluation.radii:
                found.setdefault(one.lang, [[] for _ in self.evaluations])[number].append(one)
        return dict(sorted(found.items()))

    def columns(self, part: str, row: Callable[[Judged], Sequence[float]]) -> dict[str, Columns]:
        """For each language the numbers `row` makes of a judgement, added up by seed and id."""
        return {
            lang: gathered([[(one.id, row(one)) for one in found] for found in self._judged[part, lang]])
            for lang in self.languages(part)
        }


def alike(one: Evaluation, other: Evaluation) -> None:
    """EvaluationError unless both drew the same rows and noise out of the same data."""
    drawn = [(e.suite, e.seed, e.provenance.get("suite"), e.provenance.get("data")) for e in (one, other)]
    if drawn[0] != drawn[1]:
        raise EvaluationError(
            f"{one.model} and {other.model} were not evaluated alike: suite, rows, data or seed of the draws differ; "
            "evaluate both with the same suite, --data, --seed and --max-rows"
        )


def gathered(by_seed: Sequence[Sequence[tuple[str, Sequence[float]]]]) -> Columns:
    """Rows of numbers by id, added up for each seed; a seed without an id has zeros there."""
    ids = sorted({id_ for found in by_seed for id_, _ in found})
    place = {id_: number for number, id_ in enumerate(ids)}
    values = np.zeros((len(by_seed), len(ids), len(next(row for found in by_seed for _, row in found))))
    for seed, found in enumerate(by_seed):
        for id_, row in found:
            values[seed, place[id_]] += row
    return Columns(tuple(ids), values)


def share_right(one: Judged) -> tuple[float, float]:
    """Hit and trial of accuracy; what could not be tried is no trial."""
    return (float(one.right), 1.0) if one.status not in UNTRIED else (0.0, 0.0)
