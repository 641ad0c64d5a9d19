"""Who probes the blocks of a run: workers of this process around one classifier, or an engine elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any, Protocol

from probes.oracle import Oracle
from probes.running.answers import AnswerStore, Remembering
from probes.running.driver import BATCH, Compute, Driver
from probes.running.state import Block, Done
from probes.running.workers import Crew
from probes.steps import Battery, Step
from probes.types import Classifier, Item, Probabilities

Progress = Callable[[int, int], None]
Work = tuple[Block, list[list[Step]]]
"""A block, and the steps of each of its examples."""
Found = tuple[Done, Mapping[Item, Probabilities]]
"""The outcomes of a block, and the answers the model had to give for them."""


@dataclass(frozen=True, slots=True)
class Probe:
    """How the blocks of a run are probed: plain data, which can go where the classifier is.

    facts are what the run's report says of the versions and the classifier. until is in time.monotonic seconds.
    """

    battery: Battery
    facts: Mapping[str, Any]
    until: float | None = None

    def __call__(
        self,
        work: Work,
        classifier: Classifier,
        *,
        answers: AnswerStore | None = None,
        compute: Compute = map,
        go_on: Callable[[], bool] = lambda: True,
    ) -> Found:
        """Probe a block, each example in its steps; go_on is asked after every outcome."""
        block, steps = work
        asked = Oracle(classifier, batch_size=BATCH)
        model = asked if answers is None else Remembering(answers, asked)
        oracle = Oracle(model, deadline=self.until, batch_size=BATCH)
        outcomes = []
        probed = [(example, its) for example, its in zip(block.examples, steps, strict=True) if its]
        for outcome in Driver(self.battery.seed, oracle, compute).block(probed):
            outcomes.append(outcome)
            if not go_on():
                break
        whole = all(outcome.status != "out_of_budget" for outcome in outcomes)
        return Done(block.number, outcomes, oracle.queries, whole), {} if answers is None else asked.answers


class Engine(Protocol):
    """Who probes the blocks of a run where this process does not (`runtime.ray_engine.RayEngine`)."""

    def ordered(self, probe: Probe, work: Iterable[Work], ahead: int | None) -> Iterator[Found]:
        """What is found in each block, in order, each once; at most `ahead` are under way or wait to be taken."""


@dataclass(slots=True)
class Tally:
    """Outcomes done, counted by several threads and told to one at a time."""

    progress: Progress | None
    done: int
    wanted: int
    turn: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        if self.progress is not None and self.done:
            self.progress(self.done, self.wanted)

    def add(self, more: int = 1) -> None:
        """So many more."""
        with self.turn:
            self.done += more
            if self.progress is not None:
                self.progress(self.done, self.wanted)


@dataclass(frozen=True, slots=True)
class Here:
    """The engine of this process: workers around one classifier."""

    classifier: Classifier
    crew: Crew
    tally: Tally
    answers: AnswerStore | None

    def ordered(self, probe: Probe, work: Iterable[Work], ahead: int | None) -> Iterator[Found]:
        """What is found in each block, told outcome by outcome."""
        one = partial(
            probe, classifier=self.classifier, answers=self.answers, compute=self.crew.compute, go_on=self._go_on
        )
        return self.crew.ordered(one, work, ahead or 2 * self.crew.size)

    def _go_on(self) -> bool:
        self.tally.add()
        return not self.crew.leaving


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An engine that tells nothing but what it found."""

    engine: Engine
    tally: Tally

    def ordered(self, probe: Probe, work: Iterable[Work], ahead: int | None) -> Iterator[Found]:
        """What is found in each block, told block by block."""
        for found in self.engine.ordered(probe, work, ahead):
            self.tally.add(len(found[0].outcomes))
            yield found
