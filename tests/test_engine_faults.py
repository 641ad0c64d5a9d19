"""Sessions that fail, threads of the engine that are late or die: who is told what, and that nobody hangs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from runtime.engine import Engine, EngineError, Overloaded
from tests.fakes_engine import Held, busy, texts


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def engine(held: Held) -> Iterator[Engine]:
    opened = Engine(held)  # type: ignore[arg-type]
    yield opened
    held.gate.set()
    opened.close()


def test_a_failing_session_fails_that_batch_alone(engine: Engine, held: Held):
    running = busy(engine, held)

    def fault(numbers: list[int]) -> None:
        if 1000 in numbers:
            raise ValueError("the text was: secret")

    held.fault = fault
    shared, other = engine.submit(texts(1000, 44)), engine.submit(texts(45))
    held.gate.set()
    for ticket in (running, shared):
        with pytest.raises(EngineError, match="1 rows") as failed:
            ticket.result(5)
        assert "secret" not in str(failed.value) and isinstance(failed.value.__cause__, ValueError)
    assert other.result(5).logits[0, 0] == 45
    assert engine.submit(texts(46)).result(5).logits[0, 0] == 46
    assert engine.stats().failed == 2


def test_a_session_that_answers_too_little_fails_that_batch_alone(engine: Engine, held: Held):
    held.labels = engine.labels = ("a", "b", "c")
    with pytest.raises(EngineError):
        engine.submit(texts(47)).result(5)
    held.labels = engine.labels = ("a", "b")
    assert engine.submit(texts(48)).result(5).logits[0, 0] == 48


def test_nobody_hangs_when_the_engine_thread_dies(engine: Engine, held: Held, caplog: pytest.LogCaptureFixture):
    running = busy(engine, held)

    def fault(_: list[int]) -> None:
        raise SystemExit

    held.fault = fault
    waiting = engine.submit(texts(51))
    held.gate.set()
    for ticket in (running, waiting):
        with pytest.raises(EngineError, match="broke"):
            ticket.result(5)
    with pytest.raises(Overloaded) as refused:
        engine.submit(texts(52))
    assert refused.value.reason == "closed" and engine.broken
    assert "SystemExit" in caplog.text


def until(there: Callable[[], bool]) -> bool:
    """Wait for it, five seconds at most."""
    last = time.monotonic() + 5
    while not there() and time.monotonic() < last:
        time.sleep(0.002)
    return there()


class Lingering:
    """A lock that holds up the first thread that has let go of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.lingers, self.on = threading.Event(), threading.Event()

    def acquire(self) -> None:
        self._lock.acquire()

    def release(self) -> None:
        self._lock.release()
        if not self.lingers.is_set():
            self.lingers.set()
            assert self.on.wait(10)


def test_a_run_is_as_long_as_it_was_though_its_thread_tells_of_it_late(engine: Engine):
    session = engine._session = Lingering()  # type: ignore[assignment]
    first = engine.submit(texts(1))
    assert session.lingers.wait(5)
    assert engine.submit(texts(2)).result(5).logits[0, 0] == 2  # another thread runs, and tells, before
    time.sleep(0.3)
    session.on.set()
    assert first.result(5).logits[0, 0] == 1
    assert engine.stats().compute_s < 0.15


class Padding:
    """What to pad with, until it is asked once too often."""

    broken = False

    @property
    def pad_id(self) -> int:
        if self.broken:
            self.broken = False
            raise SystemExit
        return 0


class Slow(logging.Handler):
    """Keeps a thread that logs until something has happened."""

    def __init__(self, there: Callable[[], bool]) -> None:
        super().__init__()
        self._there = there

    def emit(self, _: logging.LogRecord) -> None:
        until(self._there)


def test_a_thread_that_dies_with_the_session_lets_it_go(engine: Engine, held: Held):
    padding = held.manifest.onnx = Padding()
    slow = Slow(lambda: engine.stats().batches > 2)
    logging.getLogger("babelproof.engine").addHandler(slow)
    busy(engine, held)
    lost = engine.submit(texts(2))
    assert until(lambda: engine.stats().batches == 2)  # it waits for the session, in the hands of the other thread
    lost.cancel()
    padding.broken = True
    later = engine.submit(texts(3))
    held.gate.set()  # the other thread dies packing its batch anew, and this one goes on before all is stopped
    closing = threading.Thread(target=engine.close, daemon=True)
    assert until(lambda: engine.broken)
    closing.start()
    closing.join(5)
    logging.getLogger("babelproof.engine").removeHandler(slow)
    assert not closing.is_alive() and engine.stats().batches == 3
    with suppress(EngineError):
        later.result(1)
