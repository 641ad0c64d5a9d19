"""Whether a request can be answered in time, with all that is admitted already; and if not, when it could be."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from runtime.engine.packing import Costs
from runtime.engine.ticket import Job

_STEPS = 16


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be fitted in: seconds of work due at a time; at its turn `patience` seconds from now at the latest."""

    due: float
    patience: float
    work_s: float
    reserve_s: float
    """Kept free: for errors of prediction, and so that rows of like length can run together."""


@dataclass(frozen=True, slots=True)
class Line:
    """The queue it has to join, seconds of its work, and what comes before any of it."""

    latest_first: Iterable[Job]
    waits_s: float
    before_s: float
    """What runs, and what goes first because of its priority."""
    slower: float = 1.0
    """Seconds that a second of its work takes, where others share the session."""


def wait_until_fits(asked: Asked, line: Line, costs: Costs, now: float) -> float:
    """Seconds until the request would be admitted if nothing else came, and it asked again as patiently; 0 is now.

    Rows go by due time. Those behind the new one must still be done before they expire. Their lack of time hardly
    shrinks while they wait, for their deadlines come nearer as the work before them is done; it ends when the request,
    asked later, is due after them. Its own lack shrinks, but by then it stands behind more rows.
    """
    by_token, by_square = costs.queue_rates()
    safety = costs.safety * line.slower
    work = line.waits_s + asked.work_s
    wait = 0.0
    dues: list[float] = []
    works: list[float] = []
    for job in line.latest_first:
        if job.due <= asked.due:
            break
        lack = now + line.before_s + asked.reserve_s / 2 + work * safety - job.expires
        dues.append(-job.due)
        works.append(work)
        if lack > 0:
            wait = max(wait, min(job.due - asked.due, line.before_s + lack / (costs.safety - 1)))
        work -= job.length * (by_token + job.length * by_square)
    works.append(work)
    for _ in range(_STEPS):
        # dues fall, so their negatives rise: the rows due after the request were it asked again after `wait`
        ahead = works[bisect_left(dues, -(asked.due + wait))]
        lack = line.before_s + asked.reserve_s + ahead * safety - asked.patience
        needed = min(lack, line.before_s) + max(0.0, lack - line.before_s) / costs.safety
        if needed <= wait:
            break
        wait = needed
    return wait
