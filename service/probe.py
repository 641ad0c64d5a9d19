"""From a request to /probe to its answer: rows per language and step, and some of the flips behind them."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from probes import battery as batteries
from probes.detect import detect
from probes.languages import codes
from probes.languages import get as language
from probes.report import Outcome, Report
from probes.steps import Battery, BatteryError, check_targets
from probes.types import Edit, Example, Item
from runtime.classifier import OnnxClassifier
from service.errors import Refusal
from service.metrics import Metrics
from service.predict import check_texts
from service.schemas import ProbeRequest
from service.settings import Settings

DEFAULT_BATTERY = "quick"
_REMEMBERED = 64


class Prober:
    """Runs batteries over the served classifier; remembers its latest complete answers, which are always the same."""

    def __init__(self, settings: Settings, classifier: OnnxClassifier, metrics: Metrics) -> None:
        self._settings = settings
        self._classifier = classifier
        self._metrics = metrics
        self._answers: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def check(self, request: ProbeRequest) -> Battery:
        """The battery a request asks for; Refusal when it asks for something that is not there or for too much."""
        settings = self._settings
        for field in ("texts", "pairs"):
            check_texts(getattr(request, field) or (), field, settings.max_probe_texts, settings.max_chars)
        for field in ("pairs", "labels", "languages"):
            values = getattr(request, field)
            if values is not None and len(values) != len(request.texts):
                sentence = f"{field} has {len(values)} elements for {len(request.texts)} texts; send one for each."
                raise Refusal(422, "unequal_lengths", sentence)
        known = self._classifier.labels
        for index, label in enumerate(request.labels or ()):
            if label is not None and label not in known:
                raise Refusal(422, "unknown_label", f"labels[{index}] must be null or one of {', '.join(known)}.")
        if (request.deadline_ms or 0) > settings.max_deadline_ms:
            raise Refusal(422, "deadline_too_long", f"deadline_ms may be at most {settings.max_deadline_ms}.")
        return self._bounded(self._battery(request))

    def answer(self, request: ProbeRequest, battery: Battery) -> dict[str, Any]:
        """The answer, from memory where the same was asked before."""
        key = hashlib.sha256(request.model_dump_json(exclude={"deadline_ms"}).encode()).hexdigest()
        if (found := self._answers.get(key)) is not None:
            return found
        answer = self._run(request, battery)
        if not answer["truncated"]:
            self._answers[key] = answer
            while len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
        return answer

    def _run(self, request: ProbeRequest, battery: Battery) -> dict[str, Any]:
        started = time.monotonic()
        spoken = [_language(text, given) for text, given in _paired(request.texts, request.languages)]
        examples = [
            Example(str(index), Item(*both), spoken[index]["lang"], label)
            for index, (both, label) in enumerate(_paired(_paired(request.texts, request.pairs), request.labels))
        ]
        deadline = (request.deadline_ms or self._settings.default_deadline_ms) / 1000
        left = max(0.0, deadline - (time.monotonic() - started))
        report = batteries.run(battery, self._classifier, examples, deadline=left)
        for outcome in report.outcomes:
            lang = language(outcome.lang).code
            self._metrics.probe_outcomes.labels(lang if lang in codes() else "other", outcome.status).inc()
        sources = {one["source"] for one in spoken}
        return {
            "model": self._classifier.manifest.sha256,
            "battery": asdict(battery),
            "language_source": sources.pop() if len(sources) == 1 else "mixed",
            "languages": spoken,
            "truncated": report.truncated,
            "elapsed_ms": round((time.monotonic() - started) * 1000),
            "rows": _rows(report, request.examples),
        }

    def _battery(self, request: ProbeRequest) -> Battery:
        if request.battery is not None and request.steps is not None:
            raise Refusal(422, "contradiction", "battery and steps contradict each other; send one of them.")
        try:
            if request.steps is not None:
                wanted = {"name": "inline", "seed": request.seed, "steps": request.steps}
                battery = batteries.parse(wanted, where="request", plugins=False)
                check_targets(battery, self._classifier.labels)
                return battery
            name = request.battery or DEFAULT_BATTERY
            if name not in batteries.names():  # a name alone: never a path of this machine
                known = ", ".join(batteries.names())
                raise Refusal(422, "unknown_battery", f"There is no such battery; there are {known}.")
            return batteries.load(name)
        except BatteryError as error:
            raise Refusal(422, "bad_steps", f"{error}.") from None

    def _bounded(self, battery: Battery) -> Battery:
        settings = self._settings
        if len(battery.steps) > settings.max_probe_steps:
            raise Refusal(413, "too_many_steps", f"A battery may have at most {settings.max_probe_steps} steps.")
        for step in battery.steps:
            if step.draws > settings.max_probe_draws:
                raise Refusal(413, "too_many_draws", f"A step may have at most {settings.max_probe_draws} draws.")
            if (step.budget or 0) > settings.max_probe_budget:
                raise Refusal(413, "budget_too_large", f"A budget may be at most {settings.max_probe_budget} queries.")
        return battery


def _paired(first: Sequence[Any], second: Sequence[Any] | None) -> list[tuple[Any, Any]]:
    return list(zip(first, second or [None] * len(first), strict=True))


def _language(text: str, given: str | None) -> dict[str, Any]:
    """The code probed with, whether the client gave it or it was detected, and how sure the detector was."""
    if given:
        return {"lang": given, "source": "given", "confidence": None}
    code, confidence = detect(text)
    return {"lang": code, "source": "detected", "confidence": round(confidence, 4)}


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
