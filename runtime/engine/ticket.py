"""What is asked of an engine: tickets (requests), jobs (rows that must be computed) and batches (runs)."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from runtime.classifier import Prediction, softmax
from runtime.tokenization import Row

Reason = Literal["queue", "deadline", "closed"]
Key: TypeAlias = tuple[tuple[int, ...], tuple[int, ...]]
PATIENCE_S = 1.0
"""What a request without a deadline counts as when requests are put in order; it never expires."""


class Priority(IntEnum):
    """LIVE traffic goes first; LOW work has what is left, and a capped share beside live traffic."""

    LIVE = 0
    LOW = 1


class Overloaded(Exception):
    """The request was not run: no room, no time before its deadline, or the engine is closed; try again later."""

    def __init__(self, retry_after: float, reason: Reason) -> None:
        super().__init__(f"{_SAID[reason]}; it would be taken in {retry_after:.3f} s")
        self.retry_after, self.reason = retry_after, reason


class TooLargeError(ValueError):
    """The request alone is more than the engine ever holds: it can be asked in parts, not later."""

    def __init__(self, what: Literal["rows", "tokens"], asked: int, most: int) -> None:
        super().__init__(f"the request has {asked} {what}, the engine holds {most}; ask in parts")
        self.what, self.asked, self.most = what, asked, most


class EngineError(RuntimeError):
    """The session failed on a batch in which the request had rows, or the engine broke; the cause is attached."""


_SAID = {
    "queue": "as many rows wait as are allowed",
    "deadline": "the request cannot be answered before its deadline",
    "closed": "the engine is closed",
}


class Ticket:
    """One request: its rows, its deadline, and its answer when it has come. Made by an engine; wait on `result`."""

    __slots__ = (
        "_answered",
        "arrived",
        "begun",
        "deadline",
        "done",
        "due",
        "ended",
        "error",
        "future",
        "jobs",
        "logits",
        "missing",
        "on_cancel",
        "priority",
        "rows",
    )

    def __init__(
        self,
        rows: Sequence[Row],
        labels: int,
        arrived: float,
        *,
        priority: Priority = Priority.LIVE,
        deadline: float | None = None,
        future: asyncio.Future[None] | None = None,
    ) -> None:
        self.rows, self.priority, self.arrived = rows, priority, arrived
        self.begun = self.ended = math.inf
        self.deadline = math.inf if deadline is None else deadline
        self.due = arrived + PATIENCE_S if deadline is None else deadline
        self.jobs: list[Job] = []
        self.missing = len(rows)
        self.logits: NDArray[np.float32] = np.empty((len(rows), labels), dtype=np.float32)
        self.error: Exception | None = None
        self.done = False
        self.future = future
        self.on_cancel: Callable[[Ticket], None] = _nothing
        self._answered = None if future else threading.Event()

    def result(self, timeout: float | None = None) -> Prediction:
        """Wait for the answer; raises Overloaded, EngineError, or TimeoutError after `timeout` seconds."""
        if self._answered is not None and not self._answered.wait(timeout):
            raise TimeoutError("no answer yet")
        return self.answer()

    def cancel(self) -> None:
        """Give up the answer: rows that have not begun are dropped. Nothing happens when it is there already."""
        self.on_cancel(self)

    def answer(self) -> Prediction:
        """The answer of a ticket that is done."""
        if self.error is not None:
            raise self.error
        cut = np.array([row.truncated for row in self.rows], dtype=np.bool_)
        # rows may have begun for others before this ticket came
        begun = self.begun if self.arrived < self.begun < self.ended else self.arrived
        return Prediction(self.logits, softmax(self.logits), cut, begun - self.arrived, self.ended - begun)

    def settle(self, error: Exception | None = None) -> None:
        """Close the ticket; whoever waits is woken by `tell`."""
        self.error, self.done = error, True


def _nothing(_: Ticket) -> None:
    """What cancelling does to a ticket no engine has taken."""


def tell(tickets: Iterable[Ticket]) -> None:
    """Wake those who wait for tickets that are done: threads at once, each event loop by one call."""
    loops: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for ticket in tickets:
        if ticket.future is not None:
            loops.setdefault(ticket.future.get_loop(), []).append(ticket.future)
        elif ticket._answered is not None:
            ticket._answered.set()
    for loop, futures in loops.items():
        try:
            loop.call_soon_threadsafe(_wake, futures)
        except RuntimeError:  # the loop is closed, and so is everybody who waited in it
            continue


def _wake(futures: Sequence[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)


class Job:
    """One row to be computed, for everybody who asked for the same tokens."""

    __slots__ = ("due", "expires", "key", "length", "number", "priority", "row", "taken", "waiters")

    def __init__(self, key: Key, row: Row, ticket: Ticket, number: int) -> None:
        self.key, self.row, self.length, self.number = key, row, len(row.ids) or 1, number
        self.priority, self.due, self.expires = ticket.priority, ticket.due, ticket.deadline
        self.waiters: list[tuple[Ticket, int]] = []
        self.taken = False

    def rank(self) -> None:
        """Make it as urgent as the most urgent request that waits for it; it must stand in no queue meanwhile."""
        self.priority, self.due = min((ticket.priority, ticket.due) for ticket, _ in self.waiters)

    def leave(self, ticket: Ticket) -> bool:
        """The ticket no longer waits for this row; whether it did."""
        before = len(self.waiters)
        self.waiters = [waiter for waiter in self.waiters if waiter[0] is not ticket]
        if self.waiters:
            self.expires = min(waiter[0].deadline for waiter in self.waiters)
        return len(self.waiters) < before


class Batch:
    """Rows that run together, and when the run should begin and how long it should take; then, when and how long."""

    def __init__(self, jobs: Sequence[Job], priority: Priority, begun: float, backlog: bool) -> None:
        self.priority, self.begun, self.backlog = priority, begun, backlog
        """`backlog` is whether it is as full as runs are when more work waits."""
        self.seconds = 0.0
        self.set_jobs(jobs)

    def set_jobs(self, jobs: Sequence[Job]) -> None:
        self.jobs = jobs
        self.longest = max((job.length for job in jobs), default=0)
        self.tokens = sum(job.length for job in jobs)

    @property
    def area(self) -> int:
        """Padded tokens."""
        return len(self.jobs) * self.longest
