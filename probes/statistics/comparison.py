"""Two reports on the same texts: what changed from the first to the second, where, and whether it is chance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

from probes.files import json_text
from probes.report import UNTARGETED, Report, ReportError
from probes.statistics.crosslingual import QUANTITIES, SETTLED
from probes.statistics.intervals import Difference, paired_bootstrap
from probes.statistics.sequential import Cell
from probes.statistics.significance import holm, mcnemar, tango

FORMAT = "babelproof-comparison/1"
CLEAN = "clean texts"
ALL = "all steps"

Change = Literal["worse", "not worse", "undecided"]


@dataclass(frozen=True, slots=True)
class Contrast:
    """One language and step of both reports, over the texts both settled.

    A text passes where its prediction held: with a gold label it is right before and after. A text with several draws
    passes in part. first, second: the share that passes. difference: second - first, its interval from a bootstrap that
    draws whole texts, in pairs; None below 5 texts. lost, gained: the texts that pass less, or more, in the second; p:
    McNemar's exact one on these; adjusted: by Holm over all rows of the comparison. change: whether the second is worse
    by more than the margin; worse and not worse (by less than it) are shown by Tango's test, by Holm over all rows.
    """

    lang: str
    step: str
    texts: int
    first: float
    second: float
    difference: Difference | None
    lost: int
    gained: int
    p: float
    adjusted: float
    change: Change


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every row, language by language: the clean texts, all steps, each step; and the cells only one report has."""

    rows: tuple[Contrast, ...]
    margin: float
    confidence: float
    only_first: tuple[Cell, ...]
    only_second: tuple[Cell, ...]

    @property
    def worse(self) -> list[Contrast]:
        """Where the second is shown to be worse by more than the margin, the largest loss first."""
        return sorted((row for row in self.rows if row.change == "worse"), key=lambda row: row.second - row.first)

    @property
    def changed(self) -> list[Contrast]:
        """Where it is not chance that the two differ."""
        return [row for row in self.rows if row.adjusted <= 1 - self.confidence]

    def to_json(self) -> str:
        """The comparison as JSON; equal reports give equal bytes."""
        return json_text({"format": FORMAT, **asdict(self)}, indent=1) + "\n"


def compare(
    first: Report, second: Report, *, margin: float = 0.0, confidence: float = 0.95, seed: int = 0
) -> Comparison:
    """Compare the second report with the first; margin is the share of texts that may be lost.

    ReportError where the reports have no text and step in common, where a text or a step has changed under its name,
    and where a run stopped as soon as it was decided: what it has then is no fair sample.
    """
    if not 0 <= margin < 1:
        raise ReportError(f"the margin is a share of texts, at least 0 and below 1, not {margin:g}")
    _comparable(first, second)
    ours, theirs = _cells(first), _cells(second)
    rows, chances = [], []
    for cell in (cell for cell in ours if cell in theirs):
        paired = [(ours[cell][id_], theirs[cell][id_]) for id_ in sorted(ours[cell].keys() & theirs[cell].keys())]
        if paired:
            rows.append(_contrast(cell, paired, confidence, seed))
            chances.append(_chance(paired, margin))
    if not rows:
        raise ReportError("the two reports have no text in common that both settled in the same step")
    tests = zip(rows, holm([row.p for row in rows]), holm([p for p, _ in chances]), chances, strict=True)
    judged = tuple(
        replace(row, adjusted=p, change=change if q <= 1 - confidence else "undecided")
        for row, p, q, (_, change) in tests
    )
    only = [tuple(cell for cell in a if cell not in b) for a, b in ((ours, theirs), (theirs, ours))]
    return Comparison(judged, margin, confidence, *only)


def _contrast(cell: Cell, paired: Sequence[tuple[float, float]], confidence: float, seed: int) -> Contrast:
    lost, gained = sum(b < a for a, b in paired), sum(b > a for a, b in paired)
    p = mcnemar(lost, gained)
    return Contrast(
        lang=cell[0],
        step=cell[1],
        texts=len(paired),
        first=sum(a for a, _ in paired) / len(paired),
        second=sum(b for _, b in paired) / len(paired),
        difference=paired_bootstrap([b - a for a, b in paired], seed=seed, confidence=confidence),
        lost=lost,
        gained=gained,
        p=p,
        adjusted=p,
        change="undecided",
    )


def _chance(paired: Sequence[tuple[float, float]], margin: float) -> tuple[float, Change]:
    """Two-sided p that exactly the margin is lost, and the side of it that was seen."""
    lost, gained = sum(max(0.0, a - b) for a, b in paired), sum(max(0.0, b - a) for a, b in paired)
    low = tango(lost, gained, len(paired), -margin)
    return min(1.0, 2 * low, 2 * (1 - low)), "worse" if low < 0.5 else "not worse"


def _cells(report: Report) -> dict[Cell, dict[str, float]]:
    """The share of each text that passes, by language and step, with the clean texts and all steps together."""
    found: dict[Cell, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    sparse = {(row.lang, row.step) for row in report.rows() if row.sparse}
    for outcome in report.outcomes:
        right = QUANTITIES["clean-accuracy"](outcome)
        if right is not None:
            found[outcome.lang, CLEAN][outcome.example] = [right]
        if outcome.status in SETTLED and (outcome.lang, outcome.step) not in sparse:
            for step in (outcome.step, ALL) if outcome.goal == UNTARGETED else (outcome.step,):
                found[outcome.lang, step][outcome.example].append(outcome.status == "held")
    steps = [CLEAN, ALL, *(step["name"] for step in report.provenance["battery"]["steps"])]
    return {
        cell: {id_: sum(passed) / len(passed) for id_, passed in found[cell].items()}
        for cell in sorted(found, key=lambda cell: (cell[0], steps.index(cell[1])))
    }


def _comparable(first: Report, second: Report) -> None:
    """ReportError where a difference would not be the model's."""
    for name, report in (("first", first), ("second", second)):
        if report.provenance.get("stopping"):
            raise ReportError(
                f"the {name} report is of a run that stopped where it was decided; compare runs that asked every text"
            )
    texts = {(o.lang, o.example): (o.before, o.pair_before, o.label if o.gold else None) for o in first.outcomes}
    for o in second.outcomes:
        if texts.get((o.lang, o.example), own := (o.before, o.pair_before, o.label if o.gold else None)) != own:
            raise ReportError(f"{o.lang} example {o.example!r} has another text or label in the second report")
    steps = {step["name"]: step for step in first.provenance["battery"]["steps"]}
    for step in second.provenance["battery"]["steps"]:
        known = steps.get(step["name"], step)
        for key in sorted(known.keys() | step.keys()):
            was, now = known.get(key), step.get(key)
            if was != now:
                raise ReportError(f"the step {step['name']!r} is not the same in both: {key} {was!r} and {now!r}")
