"""Running a battery: the one driver behind the command line, the service, training's evaluation and the tests."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from probes.data import checked
from probes.report import Outcome, Report
from probes.running import provenance
from probes.running.answers import AnswerStore
from probes.running.database import StoreError
from probes.running.engine import Elsewhere, Engine, Here, Probe, Progress, Tally, Work
from probes.running.state import State
from probes.running.workers import Crew, OneAtATime
from probes.steps import Battery, BatteryError, Step, check_targets, load, names, parse
from probes.types import Classifier, Example

__all__ = ["Battery", "BatteryError", "Step", "StoreError", "load", "names", "parse", "run"]

# Blocks after which a stopping rule takes effect: as many as may be under way, however many are.
LAG = 8

_Past = deque[tuple[int, Sequence[Outcome]]]


class Stopping(Protocol):
    """A rule that says which cells need no more texts (`probes.statistics.sequential.Sequential`)."""

    def update(self, outcomes: Iterable[Outcome]) -> None:
        """Take in the outcomes of a block; blocks come in their order."""

    def decided(self, lang: str, step: str) -> bool:
        """Whether the cell needs no more texts."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """What a report says of the rule."""


def run(
    battery: Battery,
    classifier: Classifier,
    examples: Iterable[Example],
    *,
    deadline: float | None = None,
    progress: Progress | None = None,
    workers: int = 1,
    state: Path | None = None,
    store: Path | None = None,
    stopping: Stopping | None = None,
    engine: Engine | None = None,
) -> Report:
    """Probe a classifier; after deadline seconds what is left is out_of_budget and the report is truncated.

    The report is the same whatever the order of the examples and the number of workers (see probes.running.workers).
    state is a folder the run is kept in: called again after a kill it goes on, the report is that of a run nobody
    disturbed, and its outcomes stay on disk. store is a file of answers: what is known is not asked again, and counts
    as a query all the same. stopping ends cells early. progress is called with outcomes done and wanted. engine probes
    elsewhere, by a classifier of its own that must be this one; workers and store are those of this process and do not
    go with it.

    Raises DataError for repeated ids and labels the model lacks, BatteryError for a targeted attack on a label it
    lacks, StoreError for a state or a store that cannot be used, and for a store where the model has no digest.
    """
    if engine is not None and (workers > 1 or store is not None):
        raise ValueError("workers and an answer store are those of this process; an engine has no use for them")
    labels = tuple(classifier.labels)
    check_targets(battery, labels)
    facts = _facts(battery, classifier, stopping)
    with ExitStack() as stack:
        kept = stack.enter_context(State(state, facts, [step.name for step in battery.steps]))
        kept.stage(checked(examples, labels), battery.seed)
        answers = None
        if store is not None:
            answers = stack.enter_context(closing(_answers(store, classifier, kept)))
        dataset = kept.dataset()
        tally = Tally(progress, kept.counts()["outcomes"], _wanted(battery, dataset["languages"]))
        if workers > 1 and not getattr(classifier, "concurrent", False):
            classifier = OneAtATime(classifier)
        here = Here(classifier, stack.enter_context(Crew(workers)), tally, answers)
        until = None if deadline is None else time.monotonic() + deadline
        working = here if engine is None else Elsewhere(engine, tally)
        _work(Probe(battery, facts, until), working, kept, stopping, answers)
        return Report(kept.outcomes(), _provenance(facts, dataset, kept.counts(), deadline))


def _assigned(battery: Battery, kept: State, stopping: Stopping | None, done: _Past) -> Iterator[Work]:
    """The blocks that are not done, each example with the steps that its cells still need.

    What the rule of stopping says of a block takes effect LAG blocks later, however many workers there are.
    """

    def needs(step: Step, lang: str) -> bool:
        return step.covers(lang) and (stopping is None or not stopping.decided(lang, step.name))

    for block in kept.blocks():
        while stopping is not None and done and done[0][0] <= block.number - LAG:
            stopping.update(done.popleft()[1])
        yield block, [[step for step in battery.steps if needs(step, e.lang)] for e in block.examples]


def _work(probe: Probe, engine: Engine, kept: State, stopping: Stopping | None, answers: AnswerStore | None) -> None:
    """Every block that is not done, kept in their order."""
    done: _Past = deque()
    if stopping is not None:
        first = next((block.number for block in kept.blocks()), 0)
        for number, outcomes in kept.done():
            done.append((number, outcomes))
            while done and done[0][0] <= first - LAG:
                stopping.update(done.popleft()[1])
    ahead = LAG if stopping is not None else None
    for found, said in engine.ordered(probe, _assigned(probe.battery, kept, stopping, done), ahead):
        if answers is not None:
            answers.keep(said)
        kept.keep(found)
        if stopping is not None:
            done.append((found.number, found.outcomes))


def _answers(path: Path, classifier: Classifier, kept: State) -> AnswerStore:
    """The store for a model, as it stood when the run began."""
    known = digest(classifier)
    if known is None:
        raise StoreError(
            f"{type(classifier).__name__} has no digest, so the answers of another model could be taken for its own; "
            "run it without a store, or give the classifier an attribute `digest` that changes whenever it does"
        )
    found = AnswerStore(path, known, classifier.labels)
    found.since = kept.fact("answers", found.since)
    return found


def _wanted(battery: Battery, languages: Mapping[str, int]) -> int:
    return sum(step.draws * n for step in battery.steps for lang, n in languages.items() if step.covers(lang))


def _facts(battery: Battery, classifier: Classifier, stopping: Stopping | None) -> dict[str, Any]:
    """What fixes the outcomes, but for the examples; no clock, no host."""
    return {
        "battery": json.loads(json.dumps(asdict(battery))),
        "versions": provenance.versions(provenance.packages(battery.steps)),
        "classifier": provenance.identity(classifier),
        "stopping": None if stopping is None else dict(stopping.provenance),
        "files": provenance.files(battery.steps) or None,
    }


def _provenance(
    facts: Mapping[str, Any], dataset: Mapping[str, Any], counts: Mapping[str, int], deadline: float | None
) -> dict[str, Any]:
    """Everything that fixes the outcomes, and how many of what there were."""
    examples, gold = sum(dataset["languages"].values()), dataset["gold"]
    return {
        **{name: fact for name, fact in facts.items() if fact is not None},
        "seed": facts["battery"]["seed"],
        "dataset": {name: dataset[name] for name in ("sha256", "languages", "repeated") if dataset[name] != 0},
        "label_source": {"gold": gold, "model": examples - gold},
        "counts": {"examples": examples, **counts},
        "deadline": deadline,
        "truncated": "out_of_budget" in counts,
    }


def digest(classifier: Classifier) -> str | None:
    """What names the model down to its last byte, where it says so: its manifest's digest, or its own `digest`."""
    found = getattr(getattr(classifier, "manifest", None), "sha256", None) or getattr(classifier, "digest", None)
    return None if found is None else str(found)
