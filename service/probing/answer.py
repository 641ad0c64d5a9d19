"""The answer to a request to /probe: rows per language and step, some flips behind them, and what is said before."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from probes import battery as batteries
from probes.languages import codes
from probes.languages import get as language
from probes.report import Outcome, Report, Row
from probes.steps import Battery
from probes.types import Edit, Example
from runtime.classifier import OnnxClassifier
from service.answers.probe import battery_of, examples, spoken
from service.answers.schemas import ProbeRequest
from service.probing.asking import Look, Streaming

Tell = Callable[[str, dict[str, Any]], None]
"""A kind of event and what is in it."""

_MOST_FLIPS = 200
# Rows so far are summed up at most so often, and for at most a tenth of the processor time there is
_EVERY_S = 0.5
_SHARE = 10
_SO_FAR = ("lang", "step", "n", "flips", "rate", "low", "high")


@dataclass(frozen=True, slots=True)
class Answered:
    """The body of an answer, whether the deadline left it whole, and the outcomes of each language and status."""

    body: bytes
    whole: bool
    outcomes: Counter[tuple[str, str]]


SoFar = Callable[[Answered], None]
"""Takes the answer there would be if the run ended now."""


def answer(
    wanted: ProbeRequest,
    classifier: OnnxClassifier,
    until: float,
    look: Look,
    so_far: SoFar,
    tell: Tell | None,
) -> Answered:
    """Run the battery of a request that was checked, until a moment of time.monotonic at the latest.

    so_far is told the answer from time to time, for whoever cannot wait for the end; tell what is found meanwhile.
    """
    summing = Summing.of(wanted, classifier)
    engine = Streaming(classifier, look, Telling(summing, so_far, tell))
    left = max(0.0, until - time.monotonic())
    report = batteries.run(summing.battery, classifier, summing.probed, deadline=left, engine=engine)
    return summing.answered(report.outcomes, summing.rows(report.outcomes), whole=not report.truncated)


def dump(said: Any) -> bytes:
    """JSON in one line."""
    return json.dumps(said, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Summing:
    """What a request wants, and how its outcomes are summed up; outcomes that are not there are out of budget."""

    model: str
    battery: Battery
    langs: list[dict[str, Any]]
    probed: list[Example]
    flips: int
    """How many each row shows."""
    cells: Counter[tuple[str, str]]
    """Outcomes there will be of each language and step."""
    started: float

    @classmethod
    def of(cls, wanted: ProbeRequest, classifier: OnnxClassifier) -> Summing:
        started, battery = time.monotonic(), battery_of(wanted, classifier.labels)
        langs = spoken(wanted)
        probed = examples(wanted, [one["lang"] for one in langs])
        cells: Counter[tuple[str, str]] = Counter()
        for one in probed:
            cells.update({(one.lang, step.name): step.draws for step in battery.steps if step.covers(one.lang)})
        return cls(classifier.manifest.sha256, battery, langs, probed, wanted.examples, cells, started)

    def rows(self, outcomes: Sequence[Outcome]) -> list[Row]:
        """A row of every language and step, begun or not."""
        missing = self.cells - Counter((one.lang, one.step) for one in outcomes)
        unreached = [Outcome("", *cell, 0, "out_of_budget", gold=False, label=None, before="") for cell in missing]
        found = Report([*outcomes, *unreached] if missing else outcomes, {"battery": asdict(self.battery)}).rows()
        more = {cell: n - 1 for cell, n in missing.items()}  # one of each has been counted
        return [
            replace(row, out_of_budget=row.out_of_budget + more.get((row.lang or "", row.step or ""), 0))
            for row in found
        ]

    def answered(self, outcomes: Sequence[Outcome], rows: Sequence[Row], *, whole: bool) -> Answered:
        """The answer that these outcomes and their rows make."""
        sources = {one["source"] for one in self.langs}
        said = {
            "model": self.model,
            "battery": asdict(self.battery),
            "language_source": sources.pop() if len(sources) == 1 else "mixed",
            "languages": self.langs,
            "truncated": not whole,
            "elapsed_ms": round((time.monotonic() - self.started) * 1000),
            "rows": _with_flips(rows, outcomes, self.flips),
        }
        counts: Counter[tuple[str, str]] = Counter((_known(one.lang), one.status) for one in outcomes)
        return Answered(dump(said), whole, counts)


@dataclass(slots=True)
class Telling:
    """Tells flips as they come, and from time to time how far the run is, its rows and its answer so far."""

    summing: Summing
    so_far: SoFar
    tell: Tell | None
    outcomes: list[Outcome] = field(default_factory=list)
    flips: int = 0
    next: float = 0.0
    next_cpu: float = 0.0

    def __call__(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes += outcomes
        if self.tell is not None:
            for outcome in outcomes:
                if outcome.status == "fooled" and self.flips < _MOST_FLIPS:
                    self.flips += 1
                    self.tell("flip", {"lang": outcome.lang, "step": outcome.step, **_flip(outcome)})
        # a starved process has little time: of what it has, most goes into probing
        if time.monotonic() >= self.next and (begun := time.thread_time()) >= self.next_cpu:
            self._sum_up()
            spent = time.thread_time()
            self.next, self.next_cpu = time.monotonic() + _EVERY_S, spent + _SHARE * (spent - begun)

    def _sum_up(self) -> None:
        rows = self.summing.rows(self.outcomes)
        if self.tell is not None:
            shown = [{name: getattr(row, name) for name in _SO_FAR} for row in rows if row.total]
            self.tell("progress", {"done": len(self.outcomes), "wanted": self.summing.cells.total(), "rows": shown})
        if any(row.total for row in rows):
            self.so_far(self.summing.answered(self.outcomes, rows, whole=False))


def _known(lang: str) -> str:
    code = language(lang).code
    return code if code in codes() else "other"


def _with_flips(rows: Sequence[Row], outcomes: Sequence[Outcome], most: int) -> list[dict[str, Any]]:
    """The rows with the names of their languages and some of their flips."""
    flips: dict[tuple[str | None, str | None], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.status == "fooled":
            flips[outcome.lang, outcome.step].append(outcome)
    return [
        asdict(row) | {"name": language(row.lang or "").name, "examples": _smallest(flips[row.lang, row.step], most)}
        for row in rows
    ]


def _smallest(flips: list[Outcome], wanted: int) -> list[dict[str, Any]]:
    """The flips that took the fewest edits."""
    return [_flip(flip) for flip in sorted(flips, key=lambda flip: len(flip.edits) + len(flip.pair_edits))[:wanted]]


def _flip(outcome: Outcome) -> dict[str, Any]:
    return {
        "index": int(outcome.example),
        "text": outcome.before,
        "changed": outcome.after,
        "edits": [_edit(edit) for edit in outcome.edits],
        "pair": outcome.pair_before,
        "changed_pair": outcome.pair_after,
        "pair_edits": [_edit(edit) for edit in outcome.pair_edits],
        "label": outcome.predicted_before,
        "changed_label": outcome.predicted_after,
        "queries": outcome.queries,
    }


def _edit(edit: Edit) -> dict[str, Any]:
    """Its start and end count code points of the text as it was."""
    return {"start": edit.start, "end": edit.end, "new": edit.new}
