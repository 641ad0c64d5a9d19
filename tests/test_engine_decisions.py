"""Single decisions of the engine's scheduler: what begins, what counts, who is as urgent as whom."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from runtime.engine import Limits, Overloaded, Priority, Ticket, TooLargeError
from runtime.engine.scheduler import Scheduler
from runtime.engine.ticket import Batch
from runtime.tokenization import Row
from tests.fakes_engine import SHAPES, cpu, row

LENGTH = 50


def scheduler(limits: Limits | None = None) -> Scheduler:
    made = Scheduler(limits or Limits())
    made.costs.calibrate([(*shape, cpu(*shape)) for shape in SHAPES])
    return made


def rows(*numbers: int) -> list[Row]:
    return [row(LENGTH, number) for number in numbers]


def ask(
    about: Scheduler, asked: Sequence[Row], now: float, patience: float = math.inf, priority: Priority = Priority.LIVE
) -> Ticket:
    deadline = None if patience == math.inf else now + patience
    ticket = Ticket(asked, 1, now, priority=priority, deadline=deadline)
    about.admit(ticket, now)
    return ticket


def begun(about: Scheduler, taken: float, now: float) -> Batch:
    batch = about.take(taken)
    assert batch is not None
    about.begin(batch, now)
    return batch


def end(about: Scheduler, batch: Batch, now: float) -> None:
    about.finish(batch, now, np.zeros((len(batch.jobs), 1), dtype=np.float32), None)


def test_a_batch_that_begins_late_loses_as_few_rows_as_may_be():
    about = scheduler()
    tickets = [ask(about, rows(n), 0.0, patience) for n, patience in enumerate((0.06, 0.06, 0.06, 0.15))]
    batch = about.take(0.0)
    assert batch is not None and len(batch.jobs) == 4
    now = 0.06 - (cpu(2, LENGTH) + cpu(3, LENGTH)) / 2
    assert about.begin(batch, now)
    assert len(batch.jobs) == 2 and batch.seconds == pytest.approx(cpu(2, LENGTH), rel=0.1)
    assert about.ends() == pytest.approx(now + cpu(2, LENGTH), abs=0.001)
    assert [type(ticket.error) for ticket in tickets] == [Overloaded, Overloaded, type(None), type(None)]
    assert (about.stats.shed, about.stats.skipped_rows, about.stats.area) == (2, 2, 2 * LENGTH)


def test_a_row_that_is_too_late_for_one_request_runs_for_another():
    about = scheduler()
    soon, later = ask(about, rows(1), 0.0, 0.05), ask(about, rows(1, 2), 0.0, 0.1)
    batch = about.take(0.0)
    assert batch is not None and not about.begin(batch, 0.05)
    assert soon.done and not later.done and len(batch.jobs) == 2
    end(about, batch, 0.06)
    assert later.answer().queue_s == 0.05


def test_runs_that_are_told_of_in_another_order_have_their_own_seconds():
    about = scheduler()
    ask(about, rows(1), 0.0)
    one = begun(about, 0.0, 0.0)
    ask(about, rows(2), 0.001)
    two = begun(about, 0.002, 0.004)
    end(about, two, 0.007)
    shared = ask(about, rows(1), 0.008)
    end(about, one, 0.004)
    assert about.stats.compute_s == pytest.approx(0.007)
    assert about.ends() == -math.inf and about.held == 0
    assert shared.answer().compute_s == 0


@pytest.mark.parametrize("waiting", [False, True])
def test_a_low_run_counts_before_it_is_done(waiting):
    about, limits = scheduler(), Limits()
    ask(about, rows(*range(100)), 0.0, priority=Priority.LOW)
    ask(about, rows(200), 0.0)
    end(about, begun(about, 0.0, 0.0), 0.004)  # LOW may be owed first
    if waiting:
        ask(about, rows(*range(201, 300)), 0.3)
    else:
        end(about, begun(about, 0.1, 0.1), 0.104)
    low = begun(about, 0.5, 0.5)
    assert low.priority is Priority.LOW
    following = about.take(0.5 + low.seconds - 0.001)
    assert (following and following.priority) == (Priority.LIVE if waiting else None)
    end(about, low, 0.5 + 0.006)
    if not waiting:
        assert about.wait(0.506) == pytest.approx(0.006 / limits.low_share - 0.006)


def test_rows_in_a_hurry_are_checked_and_wait_as_before_once_nobody_hurries():
    about = scheduler()
    many = rows(*range(200))
    ask(about, many, 0.0, priority=Priority.LOW)
    with pytest.raises(Overloaded) as refused:
        ask(about, many, 0.0, 0.1)
    assert refused.value.reason == "deadline" and about.snapshot().waiting_rows == (0, 200)
    patient = ask(about, [*many, *many], 0.0, 5.0)
    assert about.snapshot().waiting_rows == (200, 0)
    about.cancel(patient)
    assert about.snapshot().waiting_rows == (0, 200)
    low = about.take(0.0)
    assert low is not None and low.priority is Priority.LOW


def test_a_row_is_as_urgent_as_the_most_urgent_of_those_who_wait_for_it():
    about = scheduler()
    ask(about, rows(1), 0.0)
    ask(about, rows(2), 0.0, 0.6)
    urgent = ask(about, rows(1), 0.0, 0.3)
    waiting = about._queues[Priority.LIVE]
    assert [job.row.ids[0] for job in waiting] == [1, 2]
    about.cancel(urgent)
    assert [job.row.ids[0] for job in waiting] == [2, 1]


def test_a_request_that_is_too_large_by_itself_is_told_so_and_another_when_to_come():
    about = scheduler(Limits(rows=100, tokens=1000))
    for many, what in ((rows(*range(101)), "rows"), (rows(*range(21)), "tokens")):
        with pytest.raises(TooLargeError, match=what):
            ask(about, many, 0.0)
    ask(about, rows(*range(20)), 0.0)
    with pytest.raises(Overloaded) as refused:
        about.room(30, Priority.LIVE, 0.0, coming=60)
    waits = about.backlog_s(Priority.LIVE, 0.0)
    assert refused.value.retry_after == pytest.approx(10 / 80 * (waits + 60 * about.stats.row_s))
    assert sum(about.stats.refused.values()) == 1
