"""The answer to a request to /probe: rows per language and step, some flips behind them, and what is told before."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from probes import battery as batteries
from probes.languages import codes
from probes.languages import get as language
from probes.report import Outcome, Report
from probes.steps import Battery
from probes.types import Edit
from runtime.classifier import OnnxClassifier
from service.answers.probe import battery_of, examples, spoken
from service.answers.schemas import ProbeRequest
from service.probing.asking import Look, Streaming

Tell = Callable[[str, dict[str, Any]], None]
"""A kind of event and what is in it."""

_MOST_FLIPS = 200
# Rows so far are summed up at most so often, and for at most a tenth of the time
_EVERY_S = 0.5
_SHARE = 10
_SO_FAR = ("lang", "step", "n", "flips", "rate", "low", "high")


@dataclass(frozen=True, slots=True)
class Answered:
    """The body of an answer, whether the deadline left it whole, and the outcomes of each language and status."""

    body: bytes
    whole: bool
    outcomes: Counter[tuple[str, str]]


def answer(
    wanted: ProbeRequest, classifier: OnnxClassifier, deadline_s: float, look: Look, tell: Tell | None
) -> Answered:
    """Run the battery of a request that was checked; what is found meanwhile is told where somebody listens."""
    started = time.monotonic()
    battery, langs = battery_of(wanted, classifier.labels), spoken(wanted)
    probed = examples(wanted, [one["lang"] for one in langs])
    total = sum(step.draws for step in battery.steps for one in probed if step.covers(one.lang))
    telling = Telling(tell, battery, total)
    left = max(0.0, deadline_s - (time.monotonic() - started))
    engine = Streaming(classifier, look, telling)
    report = batteries.run(battery, classifier, probed, deadline=left, engine=engine)
    sources = {one["source"] for one in langs}
    said = {
        "model": classifier.manifest.sha256,
        "battery": asdict(battery),
        "language_source": sources.pop() if len(sources) == 1 else "mixed",
        "languages": langs,
        "truncated": report.truncated,
        "elapsed_ms": round((time.monotonic() - started) * 1000),
        "rows": _rows(report, wanted.examples),
    }
    outcomes: Counter[tuple[str, str]] = Counter((_known(one.lang), one.status) for one in report.outcomes)
    return Answered(dump(said), not report.truncated, outcomes)


def dump(said: Any) -> bytes:
    """JSON in one line."""
    return json.dumps(said, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


@dataclass(slots=True)
class Telling:
    """Tells flips as they come, and from time to time how far the run is and its rows so far."""

    tell: Tell | None
    battery: Battery
    wanted: int
    outcomes: list[Outcome] = field(default_factory=list)
    flips: int = 0
    next: float = 0.0

    def __call__(self, outcomes: Sequence[Outcome]) -> None:
        if self.tell is None:
            return
        self.outcomes += outcomes
        for outcome in outcomes:
            if outcome.status == "fooled" and self.flips < _MOST_FLIPS:
                self.flips += 1
                self.tell("flip", {"lang": outcome.lang, "step": outcome.step, **_flip(outcome)})
        if (begun := time.monotonic()) >= self.next:
            report = Report(self.outcomes, {"battery": asdict(self.battery)})
            rows = [{name: getattr(row, name) for name in _SO_FAR} for row in report.rows()]
            self.tell("progress", {"done": len(self.outcomes), "wanted": self.wanted, "rows": rows})
            now = time.monotonic()
            self.next = now + max(_EVERY_S, _SHARE * (now - begun))


def _known(lang: str) -> str:
    code = language(lang).code
    return code if code in codes() else "other"


def _rows(report: Report, wanted: int) -> list[dict[str, Any]]:
    flips: dict[tuple[str | None, str | None], list[Outcome]] = defaultdict(list)
    for outcome in report.outcomes:
        if outcome.status == "fooled":
            flips[outcome.lang, outcome.step].append(outcome)
    return [
        asdict(row) | {"name": language(row.lang or "").name, "examples": _smallest(flips[row.lang, row.step], wanted)}
        for row in report.rows()
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
