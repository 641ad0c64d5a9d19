"""Looks after requests that wait: ends those whose body does not come or whose client has left, by one timer for all.

A timer and a listener for each request would cost more calls than the rest of the hot route.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable

from service.http.errors import Refusal
from service.http.exchange import Exchange, Phase

log = logging.getLogger("babelproof.service")
_EVERY_S = 0.25
_FLUSH_EVERY_S = 1.0
_LATE_S = 1.0


class Patrol:
    """Goes round while there are requests; every second it has `flush` called, the last time when all are done."""

    def __init__(self, body_timeout_s: float, flush: Callable[[], None]) -> None:
        self.open: dict[Exchange, None] = {}
        """Requests under way; whoever puts one in looks at `due`."""
        self.due = -math.inf
        """Until when the patrol is known to be on its way; a request that begins later calls `start`."""
        self._body_timeout_s = body_timeout_s
        self._flush = flush
        self._flushed = -math.inf
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Set out, in the running loop."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(_EVERY_S, self._go)
        self.due = time.monotonic() + _EVERY_S + _LATE_S

    def _go(self) -> None:
        now = time.monotonic()
        for exchange in list(self.open):
            age = now - exchange.begun
            if exchange.phase is Phase.BODY and age > self._body_timeout_s:
                exchange.end(too_slow(self._body_timeout_s))
            elif exchange.phase is Phase.ANSWER and exchange.watcher is None and age > _EVERY_S:
                exchange.watcher = asyncio.get_running_loop().create_task(_listen(exchange))
        if now - self._flushed >= _FLUSH_EVERY_S:
            self._flushed = now
            try:
                self._flush()
            except Exception:  # requests are looked after all the same
                log.exception("counts and lines could not be handed on")
            if not self.open:
                self._timer, self.due = None, -math.inf
                return
        self.start()


async def _listen(exchange: Exchange) -> None:
    """End a request whose client leaves; its rows that have not begun are dropped."""
    while (await exchange.receive())["type"] != "http.disconnect":
        pass
    exchange.end(left())


def too_slow(seconds: float) -> Refusal:
    return Refusal(408, "body_too_slow", f"The body did not arrive within {seconds:g} seconds.")


def left() -> Refusal:
    """Told to nobody, but counted: 499 as nginx has it."""
    return Refusal(499, "disconnected", "The connection was closed before the answer was ready.")
