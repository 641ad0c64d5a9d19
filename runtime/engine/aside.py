"""Tokenising large requests off the event loop; small ones cost less than a thread hop and stay in it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from probes.types import Item
from runtime.classifier import OnnxClassifier
from runtime.engine.ticket import Priority
from runtime.tokenization import Row

INLINE_CHARS, INLINE_TEXTS = 8_000, 32
"""Up to so much is tokenised in the caller: about a millisecond."""


def small(items: Sequence[Item]) -> bool:
    if len(items) > INLINE_TEXTS:
        return False
    chars = 0
    for item in items:
        chars += len(item.text) + (len(item.pair) if item.pair else 0)
    return chars <= INLINE_CHARS


class Aside:
    """Two threads that tokenise for event loops."""

    def __init__(self, classifier: OnnxClassifier) -> None:
        self._classifier = classifier
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="tokenize")
        self._lock = threading.Lock()
        self.waiting = [0, 0]
        """Items at each priority that are being tokenised, or wait for it."""

    async def rows(
        self, loop: asyncio.AbstractEventLoop, items: Sequence[Item], priority: Priority, truncate: bool
    ) -> list[Row]:
        self._count(priority, len(items))
        try:
            return await loop.run_in_executor(self._pool, lambda: self._classifier.tokenize(items, truncate=truncate))
        finally:
            self._count(priority, -len(items))

    def close(self) -> None:
        self._pool.shutdown()

    def _count(self, priority: Priority, items: int) -> None:
        with self._lock:
            self.waiting[priority] += items
