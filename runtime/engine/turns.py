"""How much an engine holds and runs at once, and which of its two queues has the next turn."""

from __future__ import annotations

import math
from dataclasses import dataclass

from runtime.engine.queue import Queue

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
        self._free = self._owed = -math.inf
        """From when LOW work may run beside live traffic: while none of it waits, and even so."""

    def live_seen(self, now: float) -> None:
        self._seen = now

    def low_ran(self, seconds: float, now: float) -> None:
        self._free = now + seconds * (1 / self._limits.low_share - 1)
        self._owed = now + seconds * (1 / self._limits.low_floor - 1)

    def beside_live(self, now: float) -> bool:
        """Whether there is, or lately was, live traffic to spare."""
        return bool(self._live) or now - self._seen < LIVE_SEEN_S

    def next(self, now: float) -> Queue | None:
        """The queue to run from, if one may run now."""
        if self._live:
            return self._low if self._low and now >= self._owed else self._live
        return self._low if self._low and (now >= self._free or not self.beside_live(now)) else None

    def wait(self, now: float) -> float | None:
        """Seconds until LOW work that is held back may run; None where none is."""
        return max(0.0, min(self._free, self._seen + LIVE_SEEN_S) - now) if self._low else None
