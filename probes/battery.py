"""Running a battery: the one driver behind the command line, the service, training's evaluation and the tests."""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from probes.data import check
from probes.driver import BATCH, Driver
from probes.oracle import Oracle
from probes.report import Outcome, Report
from probes.steps import Battery, BatteryError, Step, check_targets, load, names, parse
from probes.types import Classifier, Example

__all__ = ["Battery", "BatteryError", "Step", "load", "names", "parse", "run"]

# Examples prepared and asked together: enough to fill batches, few enough that a deadline wastes little.
BLOCK = 32

Progress = Callable[[int, int], None]


def run(
    battery: Battery,
    classifier: Classifier,
    examples: Sequence[Example],
    *,
    deadline: float | None = None,
    progress: Progress | None = None,
) -> Report:
    """Probe a classifier; after deadline seconds what is left is out_of_budget and the report is truncated.

    progress is called with outcomes done and wanted. Raises DataError for repeated ids and labels the model lacks, and
    BatteryError for a targeted attack on a label it lacks.
    """
    check(examples, tuple(classifier.labels))
    check_targets(battery, tuple(classifier.labels))
    until = None if deadline is None else time.monotonic() + deadline
    driver = Driver(battery.seed, Oracle(classifier, deadline=until, batch_size=BATCH))
    total = sum(step.draws for step in battery.steps for example in examples if step.covers(example.lang))
    outcomes: list[Outcome] = []
    ordered = _round_robin(examples)
    for start in range(0, len(ordered), BLOCK):
        for outcome in driver.block(battery.steps, ordered[start : start + BLOCK]):
            outcomes.append(outcome)
            if progress is not None:
                progress(len(outcomes), total)
    places = {step.name: place for place, step in enumerate(battery.steps)}
    outcomes.sort(key=lambda o: (places[o.step], o.lang, o.example, o.draw))
    return Report(
        tuple(outcomes), _provenance(battery, examples, outcomes, classifier, deadline, driver.oracle.queries)
    )


def _round_robin(examples: Sequence[Example]) -> list[Example]:
    """The first example of every language, then the second: a run cut short has seen every language alike."""
    turns: Counter[str] = Counter()
    placed: list[tuple[int, str, Example]] = []
    for example in sorted(examples, key=lambda e: (e.lang, e.id)):
        placed.append((turns[example.lang], example.lang, example))
        turns[example.lang] += 1
    return [example for _, _, example in sorted(placed, key=lambda p: p[:2])]


def _provenance(
    battery: Battery,
    examples: Sequence[Example],
    outcomes: Sequence[Outcome],
    classifier: Classifier,
    deadline: float | None,
    queries: int,
) -> dict[str, Any]:
    """Everything that fixes the outcomes, and how many of what there were; no clock, no host."""
    gold = sum(example.label is not None for example in examples)
    whole = [[e.id, e.lang, e.item.text, e.item.pair, e.label] for e in sorted(examples, key=lambda e: e.id)]
    return {
        "battery": json.loads(json.dumps(asdict(battery))),
        "seed": battery.seed,
        "versions": {
            "babelproof": _version("babelproof"),
            "numpy": _version("numpy"),
            "python": ".".join(platform.python_version_tuple()[:2]),
            "regex": _version("regex"),
        },
        "classifier": _identity(classifier),
        "dataset": {"sha256": _digest(whole), "languages": dict(sorted(Counter(e.lang for e in examples).items()))},
        "label_source": {"gold": gold, "model": len(examples) - gold},
        "counts": {
            "examples": len(examples),
            "outcomes": len(outcomes),
            "queries": queries,
            **dict(sorted(Counter(outcome.status for outcome in outcomes).items())),
        },
        "deadline": deadline,
        "truncated": any(outcome.status == "out_of_budget" for outcome in outcomes),
    }


def _identity(classifier: Classifier) -> dict[str, Any]:
    """What is known of the model: labels, the digest of its manifest, or what it says of itself."""
    known: dict[str, Any] = {"labels": list(classifier.labels), "type": type(classifier).__name__}
    digest = getattr(getattr(classifier, "manifest", None), "sha256", None)
    return known | ({"manifest_sha256": digest} if digest else {}) | dict(getattr(classifier, "identity", {}))


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
