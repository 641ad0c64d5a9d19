"""The engine over a real session and over one that is held: threads, loops, sharing, cancelling, closing."""

from __future__ import annotations

import asyncio
import gc
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from probes.types import Item
from runtime.classifier import OnnxClassifier, Prediction
from runtime.engine import Engine, Limits, Overloaded, Priority, TooLargeError
from runtime.tokenization import Row, TooLongError
from tests.fakes_engine import Held, busy, texts
from tests.fakes_model import KEYWORDS

WORDS = [word for words in KEYWORDS.values() for word in words] + ["the", "and", "日本"]


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def engine(held: Held) -> Iterator[Engine]:
    opened = Engine(held)  # type: ignore[arg-type]
    yield opened
    held.gate.set()
    opened.close()


@pytest.fixture
def real(served: OnnxClassifier) -> Iterator[Engine]:
    opened = Engine(served)
    opened.warm()
    yield opened
    opened.close()


def items(seed: int, count: int) -> list[Item]:
    rng = random.Random(seed)
    return [Item(" ".join(rng.choices(WORDS, k=rng.randrange(12)))) for _ in range(count)]


async def test_a_thousand_requests_at_once_get_their_own_answers(real: Engine, served: OnnxClassifier):
    asked = [items(seed, 1 + seed % 4) for seed in range(1000)]
    answers = await asyncio.gather(*(real.predict(some) for some in asked))
    for some, answer in zip(asked, answers, strict=True):
        expected = served.predict(some)
        np.testing.assert_allclose(answer.logits, expected.logits, atol=1e-5)
        np.testing.assert_allclose(answer.probabilities, expected.probabilities, atol=1e-5)
        np.testing.assert_array_equal(answer.truncated, expected.truncated)
    stats = real.stats()
    assert (stats.requests, stats.answered, stats.held) == (1000, 1000, (0, 0))
    assert stats.shared_rows > 0 and stats.area - stats.padding == stats.tokens


def test_threads_and_loops_ask_at_the_same_time(real: Engine, served: OnnxClassifier):
    def one(seed: int) -> bool:
        some = items(seed, 5)
        expected = served(some)
        found = [asyncio.run(real.predict(some)).probabilities, real.submit(some).result(10).probabilities, real(some)]
        return all(np.allclose(answer, expected, atol=1e-5) for answer in found)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(40)))


def test_an_engine_is_a_classifier(real: Engine, served: OnnxClassifier):
    many = items(3, 700)
    assert real.labels == served.labels
    np.testing.assert_allclose(real(many), served(many), atol=1e-5)
    assert real([]).shape == (0, 3)


async def test_large_requests_no_items_and_long_texts(real: Engine, served: OnnxClassifier):
    many = items(5, 300)
    np.testing.assert_allclose((await real.predict(many)).logits, served.predict(many).logits, atol=1e-5)
    assert (await real.predict([])).logits.shape == (0, 3)
    long = [Item("doctor " * 100)]
    assert (await real.predict(long)).truncated.all()
    with pytest.raises(TooLongError):
        await real.predict(long, truncate=False)


def test_equal_rows_are_computed_once_whether_they_wait_or_run(engine: Engine, held: Held):
    running = busy(engine, held)
    tickets = [engine.submit(texts(*numbers)) for numbers in ((5, 5, 6), (6, 5), (1000,))]
    held.gate.set()
    assert [t.result(5).logits[:, 0].tolist() for t in (running, *tickets)] == [[1000], [5, 5, 6], [6, 5], [1000]]
    assert sorted(held.ran) == [5, 6, 1000]
    assert engine.stats().shared_rows == 4


def test_the_first_due_runs_first_and_low_work_last(engine: Engine, held: Held):
    running, now = busy(engine, held), time.monotonic()
    low = engine.submit(texts(70), priority=Priority.LOW)
    late, soon = (engine.submit(texts(n), deadline=now + s) for n, s in ((8, 60), (15, 30)))
    held.gate.set()
    for ticket in (running, low, late, soon):
        ticket.result(5)
    order = held.ran[1:]
    # a LOW run may be owed at first; it never comes between
    assert [number for number in order if number != 70] == [15, 8]


async def test_cancelled_rows_never_reach_the_session(engine: Engine, held: Held):
    running = busy(engine, held)
    lost, kept = (asyncio.create_task(engine.predict(texts(*numbers))) for numbers in ((21, 22, 23), (23, 24)))
    await asyncio.sleep(0.05)
    lost.cancel()
    with pytest.raises(asyncio.CancelledError):
        await lost
    held.gate.set()
    assert (await kept).logits[:, 0].tolist() == [23, 24]
    assert running.result(5).logits[0, 0] == 1000
    assert not {21, 22} & set(held.ran)
    stats = engine.stats()
    assert (stats.cancelled, stats.skipped_rows, stats.held) == (1, 2, (0, 0))


def test_a_ticket_given_up_says_so(engine: Engine, held: Held):
    busy(engine, held)
    ticket = engine.submit(texts(31))
    ticket.cancel()
    with pytest.raises(CancelledError):
        ticket.result(1)
    held.gate.set()


def test_a_late_request_is_refused_or_dropped_but_never_run(engine: Engine, held: Held):
    now = time.monotonic()
    with pytest.raises(Overloaded) as refused:
        engine.submit(texts(61), deadline=now - 1)
    assert refused.value.reason == "deadline" and refused.value.retry_after > 0
    running = busy(engine, held)
    ticket = engine.submit(texts(62), deadline=time.monotonic() + 0.3)
    time.sleep(0.35)
    held.gate.set()
    with pytest.raises(Overloaded):
        ticket.result(5)
    running.result(5)
    assert not {61, 62} & set(held.ran)
    assert engine.stats().shed == 1


def test_all_rows_of_a_request_are_admitted_or_none(held: Held):
    engine = Engine(held, limits=Limits(rows=8, tokens=40))  # type: ignore[arg-type]
    running = busy(engine, held)
    taken = engine.submit(texts(*range(7, 13)))
    before = engine.stats()
    with pytest.raises(Overloaded) as refused:
        engine.submit(texts(*range(100, 105)))
    assert refused.value.reason == "queue" and refused.value.retry_after > 0
    with pytest.raises(TooLargeError, match="30 rows, the engine holds 8"):
        engine.submit(texts(*range(200, 230)))
    assert engine.stats().waiting_rows == before.waiting_rows and engine.stats().rows == before.rows
    low = engine.submit(texts(7), priority=Priority.LOW)  # LOW work has room of its own
    held.gate.set()
    for ticket in (running, taken, low):
        ticket.result(5)
    assert not set(range(100, 230)) & set(held.ran)
    engine.close()


async def test_rows_that_are_tokenised_take_room_at_their_own_priority():
    class Reading(Held):
        read = threading.Event()

        def tokenize(self, items: Any, *, truncate: bool = True) -> list[Row]:
            assert items[0].text != "0" or self.read.wait(10)
            return super().tokenize(items, truncate=truncate)

    engine = Engine(held := Reading(), limits=Limits(rows=100))  # type: ignore[arg-type]
    reading = asyncio.create_task(engine.predict(texts(*range(90))))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded) as refused:
        await engine.predict(texts(*range(100, 150)))
    assert 0.01 < refused.value.retry_after < 1  # as long as 40 rows take, which nobody has measured yet
    assert len(engine.submit(texts(*range(200, 250)), priority=Priority.LOW).result(5).logits) == 50
    held.read.set()
    assert len((await reading).logits) == 90
    engine.close()


def test_the_limits_say_how_long_a_run_should_be(held: Held):
    engine = Engine(held, limits=Limits(run_s=0.005))  # type: ignore[arg-type]
    assert engine._scheduler.costs.target_s == 0.005
    engine.close()


def test_closing_answers_what_is_held_while_there_is_time(engine: Engine, held: Held):
    running = busy(engine, held)
    waiting = [engine.submit(texts(number)) for number in range(5)]
    threading.Timer(0.1, held.gate.set).start()
    engine.close(drain_s=10)
    assert [ticket.result(0).logits[0, 0] for ticket in (running, *waiting)] == [1000, 0, 1, 2, 3, 4]
    with pytest.raises(Overloaded, match="closed"):
        engine.submit(texts(1))


def test_closing_under_load_leaves_nobody_waiting(held: Held):
    engine = Engine(held)  # type: ignore[arg-type]
    outcomes: list[str] = []

    async def client(seed: int) -> None:
        for number in range(10_000):
            try:
                await engine.predict(texts(seed * 10_000 + number, number))
            except Overloaded as refused:
                outcomes.append(refused.reason)
                return

    async def crowd() -> None:
        await asyncio.gather(*(client(seed) for seed in range(20)))

    crowding = threading.Thread(target=lambda: asyncio.run(asyncio.wait_for(crowd(), 20)))
    crowding.start()
    time.sleep(0.2)
    engine.close()
    crowding.join(20)
    assert outcomes == ["closed"] * 20
    assert engine.held == 0 and engine.stats().waiting_rows == (0, 0)


async def test_a_small_queue_is_asked_in_small_portions(served: OnnxClassifier):
    engine = Engine(served, limits=Limits(rows=10, tokens=200))
    many = items(9, 100)
    found = await asyncio.to_thread(engine, many)
    np.testing.assert_allclose(found, served(many), atol=1e-5)
    engine.close()


def test_a_loop_that_closed_meanwhile_does_no_harm(engine: Engine, held: Held):
    busy(engine, held)

    async def leave() -> None:
        task = asyncio.ensure_future(engine.predict(texts(71)))
        await asyncio.sleep(0.02)
        task.cancel()

    asyncio.run(leave())
    held.gate.set()
    assert engine.submit(texts(72)).result(5).logits[0, 0] == 72


def test_the_next_batch_is_packed_while_one_runs(engine: Engine, held: Held):
    running = busy(engine, held)
    later = engine.submit(texts(81))
    deadline = time.monotonic() + 5
    while engine.stats().batches < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    assert engine.stats().batches == 2 and held.ran == []
    held.gate.set()
    assert isinstance(later.result(5), Prediction) and running.result(5)


def test_answered_requests_are_not_kept(engine: Engine, held: Held):
    for number in range(50):
        engine.submit(texts(number)).result(5)
    gc.collect()
    assert not [one for one in gc.get_objects() if type(one).__name__ == "Job" and one.waiters]
