"""The serving engine of one model in one process: threads, tokenisation and waiting around the scheduler."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

import numpy as np

from probes.types import Item, Probabilities
from runtime.backends import Ids
from runtime.classifier import OnnxClassifier, Prediction, padded
from runtime.engine.aside import Aside, small
from runtime.engine.calibration import calibrate
from runtime.engine.scheduler import Scheduler
from runtime.engine.stats import Stats
from runtime.engine.ticket import Batch, EngineError, Overloaded, Priority, Ticket, tell
from runtime.engine.turns import Limits
from runtime.tokenization import Row

log = logging.getLogger("babelproof.engine")
_CHUNK = 256
"""Rows that a blocking call asks for at a time."""


class Engine:
    """Batches whatever is asked of one classifier, by length and urgency; safe to use from loops and threads.

    It is a Classifier itself: calling it waits, and runs at low priority. The classifier stays its owner's to close.
    """

    def __init__(
        self, classifier: OnnxClassifier, *, limits: Limits | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.classifier, self.manifest, self.labels = classifier, classifier.manifest, classifier.labels
        self._clock = clock
        self._scheduler = Scheduler(limits or Limits())
        self._lock = threading.Lock()
        """Covers the scheduler and the flags."""
        self.broken = False
        """Whether it ended of a fault of its own, and answers nothing any more."""
        self._closed = self._stopped = False
        self._asleep = self._idle = False
        """Whether the packing thread waits, and whether it waits for work rather than for a run to end."""
        self._packing_s = 0.0002
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._turn, self._session = threading.Lock(), threading.Lock()
        """Held by the thread that packs the next batch, and by the one whose batch runs."""
        self._freed = clock()
        """When the session was let go last."""
        self._aside = Aside(classifier)
        self._threads = [threading.Thread(target=self._serve, name=f"engine-{n}", daemon=True) for n in (1, 2)]
        for thread in self._threads:
            thread.start()

    @property
    def held(self) -> int:
        """Requests admitted and not answered."""
        return self._scheduler.held

    def stats(self) -> Stats:
        """Counters since the start and gauges of now."""
        with self._lock:
            return self._scheduler.snapshot()

    def submit(
        self,
        items: Sequence[Item],
        *,
        priority: Priority = Priority.LIVE,
        deadline: float | None = None,
        truncate: bool = True,
    ) -> Ticket:
        """Admit every item or none, from any thread; the deadline is in time.monotonic(). Raises as `predict`."""
        self._check_room(len(items), priority)
        begun = self._clock()
        rows = self.classifier.tokenize(items, truncate=truncate)
        return self._admit(rows, begun, priority, deadline, None)

    async def predict(
        self,
        items: Sequence[Item],
        *,
        priority: Priority = Priority.LIVE,
        deadline: float | None = None,
        truncate: bool = True,
    ) -> Prediction:
        """The answer to all items. Cancelling drops what has not begun.

        TooLongError, TooLargeError, Overloaded, EngineError.
        """
        loop = asyncio.get_running_loop()
        begun = self._clock()
        if small(items):
            rows = self.classifier.tokenize(items, truncate=truncate)
        else:
            self._check_room(len(items), priority)
            rows = await self._aside.rows(loop, items, priority, truncate)
        future = loop.create_future()
        ticket = self._admit(rows, begun, priority, deadline, future)
        try:
            await future
        except asyncio.CancelledError:
            ticket.cancel()
            raise
        return ticket.answer()

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        """Probabilities (n, k), at low priority; waits for room, never in an event loop. EngineError, Overloaded."""
        limits = self._scheduler.limits
        most = max(1, min(_CHUNK, limits.rows, limits.tokens // self.manifest.max_length))
        chunks = [items[start : start + most] for start in range(0, len(items), most)]
        waiting: list[Ticket] = []
        done: list[Probabilities] = [np.empty((0, len(self.labels)), dtype=np.float32)]
        try:
            for chunk in chunks:
                if len(waiting) > 1:
                    done.append(waiting.pop(0).result().probabilities)
                waiting.append(self._submit_patiently(chunk))
            while waiting:
                done.append(waiting.pop(0).result().probabilities)
        finally:
            for ticket in waiting:
                ticket.cancel()
        return np.concatenate(done)

    def warm(self) -> None:
        """First runs of several shapes, timed: what the cost model starts from. Holds other runs back meanwhile."""
        with self._session:
            runs = calibrate(self.classifier)
            self._freed = self._clock()
        with self._lock:
            self._scheduler.costs.calibrate(runs)

    def close(self, *, drain_s: float = 0.0) -> None:
        """Take nothing more, give what is held `drain_s` seconds, refuse what is left, end the threads. Blocks."""
        with self._lock:
            self._closed = True
        until = time.monotonic() + drain_s
        while self.held and not self._stopped and time.monotonic() < until:
            time.sleep(0.005)
        self._stop(lambda: Overloaded(0.001, "closed"))
        for thread in self._threads:
            thread.join()
        self._aside.close()

    def _check_room(self, rows: int, priority: Priority) -> None:
        """TooLargeError or Overloaded when so many rows more cannot be held: asked before they are tokenised."""
        with self._lock:
            if self._closed:
                self._scheduler.refuse("closed", 0.001)
            self._scheduler.room(rows, priority, self._clock(), self._aside.waiting[priority])

    def _admit(
        self,
        rows: Sequence[Row],
        begun: float,
        priority: Priority,
        deadline: float | None,
        future: asyncio.Future[None] | None,
    ) -> Ticket:
        with self._lock:
            now = self._clock()
            ticket = Ticket(rows, len(self.labels), now, priority=priority, deadline=deadline, future=future)
            self._scheduler.stats.tokenize_s += now - begun
            if self._closed:
                self._scheduler.refuse("closed", 0.001)
            self._scheduler.admit(ticket, now)
            if self._idle:
                self._ring()
        if not rows:
            tell([ticket])
        ticket.on_cancel = self._cancel
        return ticket

    def _cancel(self, ticket: Ticket) -> None:
        with self._lock:
            self._scheduler.cancel(ticket)
            settled = self._settled()
        tell(settled)

    def _submit_patiently(self, items: Sequence[Item]) -> Ticket:
        while True:
            try:
                return self.submit(items, priority=Priority.LOW)
            except Overloaded as full:
                if full.reason == "closed":
                    raise
                time.sleep(min(full.retry_after, 1.0))

    def _serve(self) -> None:
        """One of two threads: while the batch of one runs, the other packs the next one and waits for the session."""
        try:
            while (packed := self._pack()) is not None:
                self._answer(*packed)
        except BaseException as error:
            place = "".join(traceback.format_tb(error.__traceback__))
            log.critical("the engine broke with %s\n%s", type(error).__name__, place)
            self.broken = True
            self._stop(lambda: EngineError("the engine broke; load the model again"))

    def _pack(self) -> tuple[Batch, tuple[Ids, Ids, Ids]] | None:
        """The next batch, as arrays; on return this thread holds the session. None when the engine has stopped."""
        with self._turn:
            if (batch := self._take()) is None:
                return None
            taken = self._clock()
            arrays = self._arrays(batch)
            self._packing_s += 0.1 * (self._clock() - taken - self._packing_s)
            self._session.acquire()
            try:
                with self._lock:
                    trimmed = self._scheduler.begin(batch, max(taken, self._freed))
                    settled = self._settled()
                tell(settled)
                return batch, self._arrays(batch) if trimmed else arrays
            except BaseException:
                self._session.release()
                raise

    def _arrays(self, batch: Batch) -> tuple[Ids, Ids, Ids]:
        return padded([job.row for job in batch.jobs], self.manifest.onnx.pad_id)

    def _take(self) -> Batch | None:
        while True:
            with self._lock:
                if self._stopped:
                    return None
                now = self._clock()
                # no sooner than need be: what comes meanwhile may be more urgent
                early = self._scheduler.ends() - now - 2 * self._packing_s - 0.0005
                self._idle = early <= 0
                batch = self._scheduler.take(now) if self._idle else None
                self._asleep = batch is None
                self._idle = self._idle and self._asleep
                wait = self._scheduler.wait(now) if self._idle else early
                settled = self._settled()
            if settled:
                tell(settled)
            if batch is not None:
                return batch
            try:
                self._bell.get(timeout=wait)
            except Empty:
                continue

    def _answer(self, batch: Batch, arrays: tuple[Ids, Ids, Ids]) -> None:
        logits, cause = None, None
        try:
            if batch.jobs:
                logits = self.classifier.backend.run(*arrays)
                if logits.shape != (len(batch.jobs), len(self.labels)):
                    raise ValueError(f"the session answers shape {logits.shape}")
        except Exception as error:  # every library has its own
            logits, cause = None, error
        finally:
            ended = self._freed = self._clock()
            self._session.release()
        time.sleep(0)  # lets the other thread begin its run before this one tells the answers
        with self._lock:
            self._scheduler.finish(batch, ended, logits, cause)
            if self._asleep:
                self._ring()
            settled = self._settled()
        tell(settled)

    def _ring(self) -> None:
        """Wake the packing thread, once."""
        self._asleep = self._idle = False
        self._bell.put(None)

    def _settled(self) -> list[Ticket]:
        settled, self._scheduler.settled = self._scheduler.settled, []
        return settled

    def _stop(self, error: Callable[[], Exception]) -> None:
        """End the threads after the runs under way, and everything held with an error."""
        with self._lock:
            self._closed = self._stopped = True
            self._scheduler.end_all(error)
            settled = self._settled()
            self._bell.put(None)
        tell(settled)
