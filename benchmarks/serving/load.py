"""Open-loop load: requests leave when they are due, whether or not others were answered, and latency counts from then.

So a server that stalls is charged for everything that was due meanwhile (no coordinated omission: Gil Tene, "How NOT to
Measure Latency", 2013).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from httptools import HttpResponseParser

_EARLY_S = 0.0005
_FAILED = 0
_AGAIN_S = 0.01
"""Before who got no answer asks again: a server that is gone refuses at once."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One request: seconds from the start of the run; status 0 where no whole answer came."""

    due: float
    done: float
    status: int

    @property
    def latency(self) -> float:
        return self.done - self.due


def poisson(rate: float, seconds: float, rng: np.random.Generator) -> list[float]:
    """Arrival times of a Poisson process: `rate` a second for `seconds`."""
    gaps = rng.exponential(1 / rate, size=int(rate * seconds * 1.5) + 16)
    times = np.cumsum(gaps)
    return [float(when) for when in times[times < seconds]]


async def offer(
    host: str, port: int, requests: Sequence[bytes], due: Sequence[float], *, connections: int = 256, patience_s: float
) -> list[Answered]:
    """Send request i (cycled) at due[i]; every one is accounted for, at the latest `patience_s` after it was due."""
    loop = asyncio.get_running_loop()
    pool = _Pool(host, port, connections)
    begun = loop.time()
    answered: list[Answered] = []

    async def one(number: int, when: float) -> None:
        try:
            async with asyncio.timeout_at(begun + when + patience_s):
                status = await pool.ask(requests[number % len(requests)])
        except (TimeoutError, OSError):
            status = _FAILED
        answered.append(Answered(when, loop.time() - begun, status))

    try:
        async with asyncio.TaskGroup() as group:
            for number, when in enumerate(due):
                if (wait := begun + when - loop.time()) > _EARLY_S:
                    await asyncio.sleep(wait)
                group.create_task(one(number, when))
    finally:
        pool.close()
    return answered


async def saturate(
    host: str, port: int, requests: Sequence[bytes], seconds: float, *, callers: int, patience_s: float
) -> tuple[int, int, float]:
    """Closed loop: callers that ask again as soon as they are answered, or have waited `patience_s`.

    Answers with status 200; times anything else came, or nothing; seconds taken.
    """
    pool = _Pool(host, port, callers)
    begun = time.perf_counter()
    good = failed = 0
    turn = iter(range(10**12))

    async def caller() -> None:
        nonlocal good, failed
        while time.perf_counter() - begun < seconds:
            try:
                async with asyncio.timeout(patience_s):
                    status = await pool.ask(requests[next(turn) % len(requests)])
            except (TimeoutError, OSError):
                status = _FAILED
                await asyncio.sleep(_AGAIN_S)
            good, failed = good + (status == 200), failed + (status != 200)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(callers):
                group.create_task(caller())
    finally:
        pool.close()
    return good, failed, time.perf_counter() - begun


class _Pool:
    """Connections kept alive, opened when they are needed, at most so many; the next caller waits for one."""

    def __init__(self, host: str, port: int, most: int) -> None:
        self._host, self._port = host, port
        self._free: list[_Connection] = []
        self._all: set[_Connection] = set()
        self._places = asyncio.Semaphore(most)

    async def ask(self, request: bytes) -> int:
        async with self._places:
            connection = await self._take()
            try:
                status, keep = await connection.ask(request)
            except BaseException:
                self._drop(connection)
                raise
            if keep:
                self._free.append(connection)
            else:
                self._drop(connection)
            return status

    def close(self) -> None:
        for connection in self._all:
            connection.close()

    async def _take(self) -> _Connection:
        while self._free:
            connection = self._free.pop()
            if connection.open:
                return connection
            self._drop(connection)
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, self._host, self._port)
        self._all.add(connection)
        return connection

    def _drop(self, connection: _Connection) -> None:
        connection.close()
        self._all.discard(connection)


class _Connection(asyncio.Protocol):
    """One HTTP/1.1 connection, one request at a time."""

    def __init__(self) -> None:
        self.open = False
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[tuple[int, bool]] | None = None
        self._parser = HttpResponseParser(self)

    async def ask(self, request: bytes) -> tuple[int, bool]:
        """The status of the answer, and whether the connection goes on."""
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._parser = HttpResponseParser(self)
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self.open = transport, True

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionResetError("closed before the answer"))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result((self._parser.get_status_code(), self._parser.should_keep_alive()))
