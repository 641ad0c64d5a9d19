"""In the worker: which of the texts that were answered are also probed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

from probes.types import Item
from service.live.plan import plan
from service.settings import Settings

Send = Callable[[str, str, str | None], None]
"""Hands a model's name, a text and its pair to the prober; never waits."""


class Sampler:
    """Sends a share of the texts, and no more than the worker's part of the budget lets the prober get through."""

    def __init__(
        self,
        settings: Settings,
        send: Send,
        *,
        rng: random.Random | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rate = settings.live_rate
        self._send = send
        self._rng = rng or random.Random()
        self._clock = clock
        # texts a second; up to a minute's worth is saved, at least one text
        calls = settings.live_budget / settings.workers
        self._speed = calls / plan(settings).cost / 60 if self.rate else 0.0
        self._most = max(1.0, 60 * self._speed)
        self._left, self._at = self._most, clock()

    def offer(self, name: str, items: Sequence[Item], _: object = None) -> None:
        """Sample texts that a model has answered."""
        if not self.rate:
            return
        now = self._clock()
        self._left, self._at = min(self._most, self._left + (now - self._at) * self._speed), now
        for item in items:
            if self._left < 1:
                return
            if self._rng.random() < self.rate:
                self._left -= 1
                self._send(name, item.text, item.pair)
