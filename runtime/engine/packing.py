"""Which rows run together: those of like length, led by the most urgent one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

SPAN_S = 0.1
"""How much later than the most urgent row another may be due and still overtake what stands between them."""
WINDOW_ROWS = 4096
KNOTS = 16
"""Places at which the rows of a window, sorted by length, may be parted."""
WORTH = 4
"""How many times as long as the shortest run a run may be, whatever is urgent."""


class Waiting(Protocol):
    """A row that waits: its length, when it is due, when its answer is of no use any more."""

    @property
    def length(self) -> int: ...
    @property
    def due(self) -> float: ...
    @property
    def expires(self) -> float: ...


class Costs(Protocol):
    """What a run costs, and what rows that wait will."""

    safety: float

    def run(self, rows: int, longest: int) -> float: ...
    def full_rates(self) -> tuple[float, float]: ...
    def queue_rates(self) -> tuple[float, float]: ...


W = TypeVar("W", bound=Waiting)


def window(queue: Iterable[W], costs: Costs, now: float, most_s: float) -> list[W]:
    """The rows at the head of a queue, most urgent first, that may run in any order.

    However they are ordered, each is done before it expires: the cost of all together is at most the time that the
    first to expire has left. But where starting a run is dear, they may always be worth it: runs of a few rows would
    cost the many behind more than they save the few.
    """
    chosen: list[W] = []
    by_token, by_square = costs.full_rates()
    cost = start = costs.run(1, 1)
    left = latest = math.inf
    for row in queue:
        cost += row.length * (by_token + row.length * by_square)
        left = min(left, row.expires - now)
        enough = cost > most_s or cost * costs.safety > max(left, WORTH * start) or len(chosen) >= WINDOW_ROWS
        if chosen and (enough or row.due > latest):
            break
        if not chosen:
            latest = row.due + SPAN_S
        chosen.append(row)
    return chosen


def pick(rows: Sequence[W], costs: Costs, most_s: float, most_area: int) -> list[W]:
    """The first row and those of like length that run with it, where all rows are to be run as cheaply as may be.

    Rows x longest stays within `most_area`, expected seconds within `most_s`; the first row alone is free of both.
    """
    if len(rows) == 1:
        return list(rows)
    lengths = [row.length for row in rows]
    order = sorted(range(len(rows)), key=lengths.__getitem__)
    lengths.sort()
    first = order.index(0)
    start, end = _cheapest_run(lengths, first, costs, most_s, most_area)
    low, high = first, first + 1
    while True:
        shorter = low > 0 and (low > start or lengths[low - 1] == lengths[high - 1])
        longer = high < len(lengths) and (high < end or lengths[high] == lengths[high - 1])
        if not shorter and not longer:
            break
        # the side that brings less padding: of the new row, or of all the others
        if longer and shorter:
            shorter = lengths[high - 1] - lengths[low - 1] <= (lengths[high] - lengths[high - 1]) * (high - low)
        low_next, high_next = (low - 1, high) if shorter else (low, high + 1)
        if not _fits(high_next - low_next, lengths[high_next - 1], costs, most_s, most_area):
            break
        low, high = low_next, high_next
    return [rows[index] for index in order[low:high]]


def too_late(rows: Sequence[W], costs: Costs, now: float) -> list[tuple[W, float]]:
    """Those with least time left, as few as may be, without which the rest can run together and all be in time.

    Each with when it would be done if it ran with the rest.
    """
    order = sorted(rows, key=lambda row: row.expires)
    longest = max((row.length for row in rows), default=0)
    late = 0
    while late < len(order) and order[late].expires <= now + costs.run(len(order) - late, longest):
        late += 1
    done = now + costs.run(len(order) - late + 1, longest)
    return [(row, done) for row in order[:late]]


def _cheapest_run(lengths: Sequence[int], first: int, costs: Costs, most_s: float, most_area: int) -> tuple[int, int]:
    """Of the split of sorted lengths into runs that takes the least time, the run that holds `first`."""
    knots = sorted({round(number * len(lengths) / KNOTS) for number in range(KNOTS + 1)})
    best, cut = [0.0], [0]
    for number in range(1, len(knots)):
        end, found = knots[number], (math.inf, 0)
        for back in range(number - 1, -1, -1):
            count, top = end - knots[back], lengths[end - 1]
            if back < number - 1 and not _fits(count, top, costs, most_s, most_area):
                break
            found = min(found, (best[back] + costs.run(count, top), back))
        best.append(found[0])
        cut.append(found[1])
    number = len(knots) - 1
    while knots[cut[number]] > first:
        number = cut[number]
    return knots[cut[number]], knots[number]


def _fits(count: int, longest: int, costs: Costs, most_s: float, most_area: int) -> bool:
    return count * longest <= most_area and costs.run(count, longest) <= most_s
