"""A bounded lane of worker threads: what does not fit is refused at once instead of waiting without end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from service.http.errors import Refusal

T = TypeVar("T")


class Lane:
    """Runs blocking calls on `threads` threads and holds at most `capacity` of them, running or waiting."""

    def __init__(self, name: str, *, threads: int, capacity: int, retry_after_s: int) -> None:
        self.held = 0
        self._capacity = capacity
        self._retry_after_s = retry_after_s
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, call: Callable[[], T]) -> T:
        """The result of the call; Refusal 429 when the lane is full."""
        if self.held >= self._capacity:
            sentence = f"The service is busy: {self.held} requests are waiting already; try again in a moment."
            raise Refusal(429, "overloaded", sentence, {"Retry-After": str(self._retry_after_s)})
        self.held += 1
        work = asyncio.get_running_loop().run_in_executor(self._pool, call)
        # released when the thread is done, not when the client leaves: the thread is what is scarce
        work.add_done_callback(lambda _: self._release())
        return await asyncio.shield(work)

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _release(self) -> None:
        self.held -= 1
