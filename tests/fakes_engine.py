"""An engine's decisions played through in simulated time over known costs; a classifier that is held, or fails."""

from __future__ import annotations

import copy
import heapq
import itertools
import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from probes.types import Item
from runtime.engine import Engine, Limits, Overloaded, Priority, Ticket
from runtime.engine.scheduler import Scheduler
from runtime.engine.ticket import Batch
from runtime.tokenization import Row

SHAPES = ((1, 16), (1, 64), (8, 32), (1, 512), (32, 16), (16, 64))
EARLY_S = 0.001
"""How long before a run should end the next batch is taken: about as an engine does."""
Cost = Callable[[int, int], float]
_numbers = itertools.count()


def cpu(rows: int, longest: int) -> float:
    """Seconds of a run as measured for the shipped model on one core."""
    return 0.0004 + 6e-5 * rows * longest + 2e-8 * rows * longest**2


def accelerator(rows: int, longest: int) -> float:
    """Dear to start, cheap by token."""
    return 0.003 + 5e-6 * rows * longest + 5e-9 * rows * longest**2


def row(length: int, *first: int) -> Row:
    """A row of so many tokens; unlike every other unless its first ones are given."""
    ids = [*(first or (next(_numbers) + 10,)), *[0] * length][:length]
    return Row(ids, [0] * length, False)


def lengths(rng: random.Random, count: int) -> list[int]:
    """As the shipped demo sentences have them, with a long tail."""
    return [min(128, max(4, int(rng.lognormvariate(3.6, 0.45)))) for _ in range(count)]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request: when, how long its rows are, how long it can wait, and when its client leaves."""

    at: float
    lengths: tuple[int, ...]
    patience: float | None = None
    leaves: float | None = None
    priority: Priority = Priority.LIVE


class Simulation:
    """Arrivals through a scheduler in the order of time; what ran, what was refused and when."""

    def __init__(self, cost: Cost, *, noise: random.Random | None = None, limits: Limits | None = None) -> None:
        self.scheduler = Scheduler(limits or Limits())
        self.scheduler.costs.calibrate([(*shape, cost(*shape)) for shape in SHAPES])
        self.now = 0.0
        self.ran: list[tuple[float, Batch, float]] = []
        self.refused: list[tuple[Arrival, Overloaded, Simulation]] = []
        self.tickets: list[tuple[Arrival, Ticket]] = []
        self.settled: dict[Ticket, float] = {}
        self.hopeless = 0
        """Rows that began with less time left than their run should take."""
        self.keep = 0.0
        """Share of the refusals whose state is kept, to be played on."""
        self._cost, self._noise = cost, noise
        self._chance = random.Random(7)
        self._running: Batch | None = None
        self._packed: Batch | None = None
        self._alarm = 0.0
        self._events: list[tuple[float, int, str, Any]] = []
        self._order = itertools.count()

    def play(self, arrivals: Iterable[Arrival] = (), until: float = float("inf")) -> Simulation:
        for arrival in arrivals:
            self._at(arrival.at, "arrive", arrival)
        while self._events and self._events[0][0] <= until:
            self.now, _, what, about = heapq.heappop(self._events)
            getattr(self, f"_{what}")(about)
            self._start()
            self._note()
        self.now = max(self.now, until) if until < float("inf") else self.now
        return self

    def offer(self, arrival: Arrival) -> Ticket:
        deadline = None if arrival.patience is None else self.now + arrival.patience
        rows = [row(length) for length in arrival.lengths]
        ticket = Ticket(rows, 1, self.now, priority=arrival.priority, deadline=deadline, future=object())
        self.scheduler.admit(ticket, self.now)
        return ticket

    @property
    def in_time(self) -> list[Ticket]:
        """Tickets answered before their deadline."""
        return [
            ticket
            for _, ticket in self.tickets
            if ticket.error is None and self.settled.get(ticket, float("inf")) <= ticket.deadline
        ]

    def rest(self) -> Simulation:
        """This state as it is, without what has yet to arrive and without what lies behind."""
        memory = {id(self.refused): [], id(self.ran): [], id(self.tickets): [], id(self.settled): {}}
        rest: Simulation = copy.deepcopy(self, memory)
        rest._events = [event for event in rest._events if event[2] in ("end", "wake")]
        heapq.heapify(rest._events)
        return rest

    def _at(self, time: float, what: str, about: Any) -> None:
        heapq.heappush(self._events, (time, next(self._order), what, about))

    def _arrive(self, arrival: Arrival) -> None:
        try:
            ticket = self.offer(arrival)
        except Overloaded as full:
            if self._chance.random() < self.keep:
                self.refused.append((arrival, full, self.rest()))
            return
        self.tickets.append((arrival, ticket))
        if arrival.leaves is not None:
            self._at(self.now + arrival.leaves, "leave", ticket)

    def _leave(self, ticket: Ticket) -> None:
        self.scheduler.cancel(ticket)

    def _end(self, batch: Batch) -> None:
        self._running = None
        self.scheduler.finish(batch, self.now, np.zeros((len(batch.jobs), 1), dtype=np.float32), None)

    def _wake(self, _: None) -> None:
        pass

    def _start(self) -> None:
        """As an engine's two threads: one batch runs, and just before that should end the next is taken."""
        while True:
            if self._packed and not self._running:
                self._run(self._packed)
            if self._packed:
                return
            early = self.scheduler.ends() - self.now - EARLY_S
            if early <= 0:
                self._packed = self.scheduler.take(self.now)
            if self._packed is None:
                return self._wake_in(early if early > 0 else self.scheduler.wait(self.now))

    def _run(self, batch: Batch) -> None:
        self._running, self._packed = batch, None
        self.scheduler.begin(batch, self.now)
        self.hopeless += sum(job.expires <= self.now + batch.seconds for job in batch.jobs)
        seconds = self._cost(len(batch.jobs), batch.longest) if batch.jobs else 0.0
        if self._noise:
            seconds *= self._noise.lognormvariate(0, 0.1) * (3 if self._noise.random() < 0.01 else 1)
        self.ran.append((self.now, batch, seconds))
        self._at(self.now + seconds, "end", batch)

    def _wake_in(self, wait: float | None) -> None:
        if wait and (at := self.now + wait + 1e-6) != self._alarm:
            self._alarm = at
            self._at(at, "wake", None)

    def _note(self) -> None:
        self.settled.update(dict.fromkeys(self.scheduler.settled, self.now))
        self.scheduler.settled.clear()


class Held:
    """A classifier over numbers: a text's logit is its number; runs wait for `gate` and are written down."""

    def __init__(self) -> None:
        self.labels = ("a", "b")
        self.manifest = SimpleNamespace(onnx=SimpleNamespace(pad_id=0), max_length=64)
        self.gate, self.running = threading.Event(), threading.Event()
        self.ran: list[int] = []
        self.fault: Callable[[list[int]], None] = lambda numbers: None
        self.backend = self
        self.gate.set()

    def tokenize(self, items: Any, *, truncate: bool = True) -> list[Row]:
        return [
            Row([int(item.text), *[0] * (int(item.text) % 7)], [0] * (int(item.text) % 7 + 1), False) for item in items
        ]

    def run(self, ids: Any, *_: Any) -> Any:
        self.running.set()
        assert self.gate.wait(10)
        numbers = [int(row[0]) for row in ids]
        self.ran += numbers
        self.fault(numbers)
        return np.array([[number, 0] for number in numbers], dtype=np.float32)

    def hold(self) -> None:
        self.gate.clear()
        self.running.clear()


def texts(*numbers: int) -> list[Item]:
    return [Item(str(number)) for number in numbers]


def busy(engine: Engine, held: Held) -> Ticket:
    """A run under way that will not end before the gate opens."""
    held.hold()
    ticket = engine.submit(texts(1000))
    assert held.running.wait(5)
    return ticket
