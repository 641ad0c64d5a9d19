"""Who is admitted, what runs next, who is told: every decision of the engine, without threads and without a clock.

Each method takes the time of the call, so that a simulation decides exactly as the engine does. The engine's lock
covers it. Tickets that are done collect in `settled`, to be told once the lock is free.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import CancelledError
from dataclasses import replace
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from runtime.engine.admission import Asked, Line, wait_until_fits
from runtime.engine.cost import CostModel
from runtime.engine.packing import pick, too_late, window
from runtime.engine.queue import Queue
from runtime.engine.stats import Stats
from runtime.engine.ticket import Batch, EngineError, Job, Key, Overloaded, Priority, Reason, Ticket, TooLargeError
from runtime.engine.turns import Limits, Turns

_WINDOW_RUNS = 8
"""Runs' worth of waiting rows among which those of like length are looked for."""


class Scheduler:
    """Rows wait in a queue for each priority; equal rows are one job."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.costs, self.stats = limits, CostModel(limits.run_s), Stats()
        self.settled: list[Ticket] = []
        self._queues = (Queue(), Queue())
        self._held = [0, 0]
        self._tickets: set[Ticket] = set()
        self._jobs: dict[Key, Job] = {}
        self._flying: list[Batch] = []
        self._numbers = 0
        self._turns = Turns(limits, *self._queues)

    @property
    def held(self) -> int:
        """Requests admitted and not answered."""
        return sum(self._held)

    def snapshot(self) -> Stats:
        """The counters and gauges as they stand."""
        live, low = self._queues
        return replace(
            self.stats,
            refused=dict(self.stats.refused),
            held=(self._held[0], self._held[1]),
            waiting_rows=(len(live), len(low)),
            cost_error=self.costs.error,
        )

    def room(self, rows: int, priority: Priority, now: float, coming: int = 0) -> None:
        """Overloaded when so many rows more cannot be held beside those that are `coming`; TooLargeError if never."""
        if rows > self.limits.rows:
            raise TooLargeError("rows", rows, self.limits.rows)
        held = self._queues[priority].rows + coming
        if (excess := held + rows - self.limits.rows) > 0:
            self.refuse("queue", excess / held * (self.backlog_s(priority, now) + coming * self.stats.row_s))

    def admit(self, ticket: Ticket, now: float) -> None:
        """Take every row of a ticket, or none: Overloaded, TooLargeError."""
        if ticket.priority is Priority.LIVE:
            self._turns.live_seen(now)
        places, fresh, hurried = self._places(ticket)
        count = len(places)
        self.room(count, ticket.priority, now)
        # rows that this ticket makes more urgent join the queue again, and are checked, like new ones
        for job in hurried:
            self._queues[job.priority].remove(job)
        try:
            self._check(ticket, [*fresh, *hurried], now)
            for index, job in enumerate(places):
                job.waiters.append((ticket, index))
                if ticket.deadline < job.expires:
                    job.expires = ticket.deadline
        finally:
            for job in hurried:
                job.rank()
                self._queues[job.priority].add(job)
        queue = self._queues[ticket.priority]
        queue.add_all(fresh)
        for job in fresh:
            self._jobs[job.key] = job
            self.stats.tokens += job.length
        ticket.jobs = places
        queue.rows += count
        self._held[ticket.priority] += 1
        self._tickets.add(ticket)
        if not places:
            self._answered(ticket, now)
        self.stats.requests += 1
        self.stats.rows += count
        self.stats.shared_rows += count - len(fresh)

    def take(self, now: float) -> Batch | None:
        """The rows to run next, if any may run now."""
        while (queue := self._turns.next(now)) is not None:
            beside = queue is self._queues[Priority.LOW] and self._turns.beside_live(now)
            most_s = self.limits.low_run_s if beside else self.costs.target_s
            rows = window(queue, self.costs, now, _WINDOW_RUNS * most_s)
            alone = ((job, now + self.costs.run(1, job.length)) for job in rows)
            if not (late := [(job, done) for job, done in alone if job.expires <= done]):
                return self._start(queue, pick(rows, self.costs, most_s, self.limits.area), now, small=beside)
            self._shed(late, now)
        return None

    def begin(self, batch: Batch, now: float) -> bool:
        """A batch that was taken runs from now on; whether it lost rows, which nobody wants or could have in time."""
        batch.begun = now
        while late := too_late([job for job in batch.jobs if job.waiters], self.costs, now):
            self._shed(late, now)
        if lost := [job for job in batch.jobs if not job.waiters]:
            for job in lost:
                del self._jobs[job.key]
            self.stats.skipped_rows += len(lost)
            batch.set_jobs([job for job in batch.jobs if job.waiters])
            batch.seconds = self.costs.run(len(batch.jobs), batch.longest) if batch.jobs else 0.0
        for job in batch.jobs:
            for ticket, _ in job.waiters:
                ticket.begun = min(ticket.begun, now)
                self.stats.queue_s += max(0.0, now - ticket.arrived)
        self.stats.area += batch.area
        self.stats.padding += batch.area - batch.tokens
        return bool(lost)

    def wait(self, now: float) -> float | None:
        """Seconds until LOW work that is held back may run; None where none is."""
        return self._turns.wait(now)

    def ends(self) -> float:
        """When all that runs or is about to should be done; -inf where nothing is."""
        return self._flying[-1].begun + self._flying[-1].seconds if self._flying else -math.inf

    def finish(self, batch: Batch, now: float, logits: NDArray[np.float32] | None, cause: Exception | None) -> None:
        """A batch has run until `now`, with logits (rows, labels) or with the error that it raised.

        The one after it may have begun since, or even have been told of before.
        """
        self._flying.remove(batch)
        batch.seconds = seconds = max(0.0, now - batch.begun)
        if batch.priority is Priority.LOW:
            self.stats.low_s += seconds
        self.stats.compute_s += seconds
        for number, job in enumerate(batch.jobs):
            del self._jobs[job.key]
            waiters, job.waiters = job.waiters, []
            if not waiters:
                self.stats.wasted += batch.longest
            for ticket, index in waiters:
                if ticket.done:
                    continue
                if logits is None:
                    self._fail(ticket, _failed(len(batch.jobs), cause))
                else:
                    self._fill(ticket, index, logits[number], now)
        if logits is not None and batch.jobs:
            self.costs.learn(len(batch.jobs), batch.longest, batch.tokens, seconds, backlog=batch.backlog)

    def cancel(self, ticket: Ticket) -> None:
        """Nobody waits for the ticket any more."""
        if not ticket.done and ticket.jobs:
            self.stats.cancelled += 1
            self._close(ticket, CancelledError("the request was cancelled"))

    def end_all(self, error: Callable[[], Exception]) -> None:
        """Every ticket that is held ends with an error of its own; nothing is admitted or taken after this."""
        for queue in self._queues:
            for job in tuple(queue):
                queue.remove(job)
                self.stats.skipped_rows += 1
        for job in self._jobs.values():
            job.waiters = []
        for ticket in self._tickets:
            ticket.settle(error())
        self.stats.failed += len(self._tickets)
        self.settled += self._tickets
        self._tickets.clear()
        self._held = [0, 0]

    def refuse(self, reason: Reason, retry_after: float) -> NoReturn:
        """Count and raise Overloaded."""
        self.stats.refused[reason] += 1
        raise Overloaded(max(0.001, retry_after), reason)

    def backlog_s(self, priority: Priority, now: float) -> float:
        """Expected seconds until all that runs or waits now, at this priority or above, is done."""
        waits = sum(queue.seconds(self.costs) for queue in self._queues[: priority + 1])
        return max(0.0, self.ends() - now) + waits

    def _places(self, ticket: Ticket) -> tuple[list[Job], Collection[Job], Collection[Job]]:
        """The job of each row; of them the new ones, and those that wait for others, less urgently."""
        places: list[Job] = []
        fresh: dict[Key, Job] = {}
        hurried: dict[Key, Job] = {}
        for row in ticket.rows:
            key = (tuple(row.ids), tuple(row.types))
            if key in self._jobs:
                job = self._jobs[key]
                if not job.taken and (ticket.priority, ticket.due) < (job.priority, job.due):
                    hurried[key] = job
            elif key in fresh:
                job = fresh[key]
            else:
                self._numbers += 1
                job = fresh[key] = Job(key, row, ticket, self._numbers)
            places.append(job)
        return places, fresh.values(), hurried.values()

    def _check(self, ticket: Ticket, joining: Collection[Job], now: float) -> None:
        """Overloaded where the rows find no room, or they or rows behind them would miss a deadline; TooLargeError."""
        queue, costs = self._queues[ticket.priority], self.costs
        tokens = squares = 0
        for job in joining:
            tokens += job.length
            squares += job.length * job.length
        if tokens > self.limits.tokens:
            raise TooLargeError("tokens", tokens, self.limits.tokens)
        if (excess := queue.tokens + tokens - self.limits.tokens) > 0:
            self.refuse("queue", excess / queue.tokens * self.backlog_s(ticket.priority, now))
        by_token, by_square = costs.queue_rates()
        own = costs.run(1, 1) + tokens * by_token + squares * by_square
        before, slower = max(0.0, self.ends() - now), 1.0
        if ticket.priority is Priority.LOW and self._turns.beside_live(now):
            before += self._queues[Priority.LIVE].seconds(costs)
            slower = 1 / self.limits.low_share
        patience = ticket.deadline - now
        reserve = min(4 * self.limits.run_s, max(0.0, patience) / 4)
        line = Line(queue.latest_first(), queue.seconds(costs), before, slower)
        if wait := wait_until_fits(Asked(ticket.due, patience, own, reserve), line, costs, now):
            self.refuse("deadline", wait)

    def _shed(self, late: Iterable[tuple[Job, float]], now: float) -> None:
        """Drop the requests that need these rows before they could be done."""
        for ticket in {ticket for job, done in late for ticket, _ in job.waiters if ticket.deadline <= done}:
            self.stats.shed += 1
            self._close(ticket, Overloaded(max(0.001, self.backlog_s(ticket.priority, now)), "deadline"))

    def _start(self, queue: Queue, jobs: Sequence[Job], now: float, *, small: bool) -> Batch:
        for job in jobs:
            queue.remove(job)
            job.taken = True
        batch = Batch(jobs, jobs[0].priority, max(now, self.ends()), bool(queue) and not small)
        batch.seconds = self.costs.run(len(jobs), batch.longest)
        if batch.priority is Priority.LOW:
            self._turns.low_taken(batch)
        self._flying.append(batch)
        self.stats.batches += 1
        return batch

    def _fill(self, ticket: Ticket, index: int, logits: NDArray[np.float32], now: float) -> None:
        ticket.logits[index] = logits
        ticket.missing -= 1
        if not ticket.missing:
            self._answered(ticket, now)

    def _answered(self, ticket: Ticket, now: float) -> None:
        ticket.ended = max(now, ticket.arrived)  # it may have come just after the run it needed
        self.stats.answered += 1
        self.stats.late += now > ticket.deadline
        self._close(ticket, None)

    def _fail(self, ticket: Ticket, error: Exception) -> None:
        self.stats.failed += 1
        self._close(ticket, error)

    def _close(self, ticket: Ticket, error: Exception | None) -> None:
        """The ticket is done; its rows that nobody else wants are dropped, and those that it hurried hurry no more."""
        for job in ticket.jobs if error else ():
            if not job.leave(ticket) or job.taken:
                continue
            if not job.waiters:
                self.stats.skipped_rows += 1
                self._queues[job.priority].remove(job)
                del self._jobs[job.key]
            elif (ticket.priority, ticket.due) == (job.priority, job.due):
                self._queues[job.priority].remove(job)
                job.rank()
                self._queues[job.priority].add(job)
        self._queues[ticket.priority].rows -= len(ticket.jobs)
        self._held[ticket.priority] -= 1
        self._tickets.discard(ticket)
        ticket.jobs = []
        ticket.settle(error)
        self.settled.append(ticket)


def _failed(rows: int, cause: Exception | None) -> EngineError:
    # the message of the cause may quote what was asked
    error = EngineError(f"the model failed on a batch of {rows} rows ({type(cause).__name__}); the engine goes on")
    error.__cause__ = cause
    return error
