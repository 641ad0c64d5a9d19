"""How much an engine holds and runs at once, and which of its two queues has the next turn."""

from __future__ import annotations

import math
from dataclasses import dataclass

from runtime.engine.queue import Queue
from runtime.engine.ticket import Batch

LIVE_SEEN_S = 1.0
"""How long after live traffic LOW work stays small and capped."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an engine holds, and how long one run may be."""

    rows: int = 4096
    """Rows held at each priority, waiting or running."""
    tokens: int = 262_144
    """Tokens that wait at each priority."""
    area: int = 32_768
    """Padded tokens of one run."""
    run_s: float = 0.02
    """Expected seconds of a run that more than one row shares."""
    low_run_s: float = 0.004
    """The same for LOW work beside live traffic."""
    low_share: float = 0.25
    """Most of the running time that LOW work gets beside live traffic, while none of that waits."""
    low_floor: float = 0.02
    """What it gets even while live traffic waits."""


class Turns:
    """LIVE goes first. After a run, LOW work rests until it has had no more than its share of the time."""

    def __init__(self, limits: Limits, live: Queue, low: Queue) -> None:
        self._limits, self._live, self._low = limits, live, low
        self._seen = -math.inf
        self._last: Batch | None = None
        """The LOW run taken last."""

    def live_seen(self, now: float) -> None:
        self._seen = now

    def low_taken(self, batch: Batch) -> None:
        """A LOW run counts from when it is taken, with the seconds expected of it until it has had others."""
        self._last = batch

    def beside_live(self, now: float) -> bool:
        """Whether there is, or lately was, live traffic to spare."""
        return bool(self._live) or now - self._seen < LIVE_SEEN_S

    def next(self, now: float) -> Queue | None:
        """The queue to run from, if one may run now."""
        if self._live:
            return self._low if self._low and now >= self._rested(self._limits.low_floor) else self._live
        if self._low and (now >= self._rested(self._limits.low_share) or not self.beside_live(now)):
            return self._low
        return None

    def wait(self, now: float) -> float | None:
        """Seconds until LOW work that is held back may run; None where none is."""
        if not self._low:
            return None
        return max(0.0, min(self._rested(self._limits.low_share), self._seen + LIVE_SEEN_S) - now)

    def _rested(self, share: float) -> float:
        """From when another LOW run leaves LOW work no more than a share of the time."""
        return self._last.begun + self._last.seconds / share if self._last else -math.inf
