"""Running a battery: the one driver behind the command line, the service, training's evaluation and the tests."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from probes import provenance
from probes.answers import AnswerStore, Remembering
from probes.data import checked
from probes.database import StoreError
from probes.driver import BATCH, Driver
from probes.oracle import Oracle
from probes.report import Outcome, Report
from probes.state import Block, Done, State
from probes.steps import Battery, BatteryError, Step, check_targets, load, names, parse
from probes.types import Classifier, Example, Item, Probabilities
from probes.workers import Crew, OneAtATime

__all__ = ["Battery", "BatteryError", "Step", "StoreError", "load", "names", "parse", "run"]

# Blocks after which a stopping rule takes effect: as many as may be under way, however many are.
LAG = 8

Progress = Callable[[int, int], None]
Work = tuple[Block, list[list[Step]]]
_Past = deque[tuple[int, Sequence[Outcome]]]


class Stopping(Protocol):
    """A rule that says which cells need no more texts (`probes.sequential.Sequential`)."""

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
) -> Report:
    """Probe a classifier; after deadline seconds what is left is out_of_budget and the report is truncated.

    The report is the same whatever the order of the examples and the number of workers (see probes.workers). state is a
    folder the run is kept in: called again after a kill it goes on, the report is that of a run nobody disturbed, and
    its outcomes stay on disk. store is a file of answers: what is known is not asked again, and counts as a query all
    the same. stopping ends cells early. progress is called with outcomes done and wanted.

    Raises DataError for repeated ids and labels the model lacks, BatteryError for a targeted attack on a label it
    lacks, StoreError for a state or a store that cannot be used, and for a store where the model has no digest.
    """
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
        tally = _Tally(progress, kept.counts()["outcomes"], _wanted(battery, dataset["languages"]))
        crew = stack.enter_context(Crew(workers))
        if workers > 1 and not getattr(classifier, "concurrent", False):
            classifier = OneAtATime(classifier)
        until = None if deadline is None else time.monotonic() + deadline
        _work(_Job(battery, classifier, crew, tally, until, answers), kept, stopping)
        return Report(kept.outcomes(), _provenance(facts, dataset, kept.counts(), deadline))


@dataclass(frozen=True, slots=True)
class _Job:
    """What every block needs to be probed."""

    battery: Battery
    classifier: Classifier
    crew: Crew
    tally: _Tally
    until: float | None
    answers: AnswerStore | None

    def __call__(self, work: Work) -> tuple[Done, Mapping[Item, Probabilities]]:
        """The outcomes of a block, each example in its steps, and the answers the model had to give for them."""
        block, steps = work
        asked = Oracle(self.classifier, batch_size=BATCH)
        model = asked if self.answers is None else Remembering(self.answers, asked)
        oracle = Oracle(model, deadline=self.until, batch_size=BATCH)
        outcomes = []
        probed = [(example, its) for example, its in zip(block.examples, steps, strict=True) if its]
        for outcome in Driver(self.battery.seed, oracle, self.crew.compute).block(probed):
            outcomes.append(outcome)
            self.tally.add()
            if self.crew.leaving:
                break
        whole = all(outcome.status != "out_of_budget" for outcome in outcomes)
        return Done(block.number, outcomes, oracle.queries, whole), asked.answers


@dataclass(slots=True)
class _Tally:
    """Outcomes done, counted by several threads and told to one at a time."""

    progress: Progress | None
    done: int
    wanted: int
    turn: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        if self.progress is not None and self.done:
            self.progress(self.done, self.wanted)

    def add(self) -> None:
        """One more."""
        with self.turn:
            self.done += 1
            if self.progress is not None:
                self.progress(self.done, self.wanted)


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


def _work(job: _Job, kept: State, stopping: Stopping | None) -> None:
    """Every block that is not done, kept in their order."""
    done: _Past = deque()
    if stopping is not None:
        first = next((block.number for block in kept.blocks()), 0)
        for number, outcomes in kept.done():
            done.append((number, outcomes))
            while done[0][0] <= first - LAG:
                stopping.update(done.popleft()[1])
    ahead = LAG if stopping is not None else 2 * job.crew.size
    for found, answers in job.crew.ordered(job, _assigned(job.battery, kept, stopping, done), ahead):
        if job.answers is not None:
            job.answers.keep(answers)
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
        "versions": provenance.versions(),
        "classifier": provenance.identity(classifier),
        "stopping": None if stopping is None else dict(stopping.provenance),
    }


def _provenance(
    facts: Mapping[str, Any], dataset: Mapping[str, Any], counts: Mapping[str, int], deadline: float | None
) -> dict[str, Any]:
    """Everything that fixes the outcomes, and how many of what there were."""
    examples, gold = sum(dataset["languages"].values()), dataset["gold"]
    return {
        **{name: fact for name, fact in facts.items() if fact is not None},
        "seed": facts["battery"]["seed"],
        "dataset": {"sha256": dataset["sha256"], "languages": dataset["languages"]},
        "label_source": {"gold": gold, "model": examples - gold},
        "counts": {"examples": examples, **counts},
        "deadline": deadline,
        "truncated": "out_of_budget" in counts,
    }


def digest(classifier: Classifier) -> str | None:
    """What names the model down to its last byte, where it says so: its manifest's digest, or its own `digest`."""
    found = getattr(getattr(classifier, "manifest", None), "sha256", None) or getattr(classifier, "digest", None)
    return None if found is None else str(found)
