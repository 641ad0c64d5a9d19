"""Rows that wait at one priority, in order of urgency, and what they will cost."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterator

from runtime.engine.packing import Costs
from runtime.engine.ticket import Job


class Queue:
    """Jobs by due time, then by arrival."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Job]] = []
        self.tokens = self.squares = 0
        self.rows = 0
        """Rows of requests, waiting or running; several may share a job."""

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Job]:
        return (entry[2] for entry in self._entries)

    def add(self, job: Job) -> None:
        insort(self._entries, (job.due, job.number, job))
        self.tokens += job.length
        self.squares += job.length * job.length

    def add_all(self, jobs: Collection[Job]) -> None:
        """Add new jobs of one request: they have one due time and rising numbers, and mostly belong at the end."""
        entries = [(job.due, job.number, job) for job in jobs]
        if not entries or (self._entries and self._entries[-1] > entries[0]):
            for job in jobs:
                self.add(job)
            return
        self._entries += entries
        for job in jobs:
            self.tokens += job.length
            self.squares += job.length * job.length

    def remove(self, job: Job) -> None:
        del self._entries[bisect_left(self._entries, (job.due, job.number))]
        self.tokens -= job.length
        self.squares -= job.length * job.length

    def seconds(self, costs: Costs) -> float:
        """Expected seconds until all that waits is done."""
        by_token, by_square = costs.queue_rates()
        return self.tokens * by_token + self.squares * by_square

    def latest_first(self) -> Iterator[Job]:
        return (entry[2] for entry in reversed(self._entries))
