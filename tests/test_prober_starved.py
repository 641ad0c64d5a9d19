"""A prober that gets no processor time: clients are answered by their deadlines, and what comes later harms nobody."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runtime.classifier import OnnxClassifier
from service.answers.schemas import ProbeRequest
from service.http.errors import Refusal
from service.probing.channel import Channel
from service.probing.client import Answer, Probing
from service.probing.prober import Prober
from service.settings import Settings
from tests.fakes_interface import SETTINGS
from tests.fakes_prober import probing
from tests.fakes_service import ROOT
from tests.test_prober import LONG, WANTED, models_of

BOUND_S = 2.0
SOON = {"deadline_ms": 400}


@pytest.fixture
def settings(served_folder: Path, tmp_path: Path) -> Settings:
    return replace(SETTINGS, model=served_folder, state=tmp_path, prober_priority="normal")


@pytest.fixture
async def child(settings: Settings, served: OnnxClassifier, served_folder: Path) -> AsyncIterator[Probing]:
    """A prober in a process, which has answered once."""
    started = Probing(settings, models_of(served_folder, served))
    await started.run(WANTED, "keywords")
    yield started
    await asyncio.to_thread(started.close)


@contextmanager
def stopped(pid: int | None) -> Any:
    """A process that gets no time at all meanwhile."""
    assert pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def in_time(running: Awaitable[Answer], wanted: ProbeRequest) -> Answer:
    """The answer, which must come by the deadline and a little."""
    async with asyncio.timeout((wanted.deadline_ms or 0) / 1000 + BOUND_S):
        return await running


def rows(answer: Answer) -> list[dict[str, Any]]:
    found = json.loads(answer.body)
    assert found["truncated"] is True
    return list(found["rows"])


async def test_what_was_not_begun_is_told_and_what_comes_later_is_heard_by_nobody(
    child: Probing, settings: Settings, served: OnnxClassifier
) -> None:
    first, given_up = child.pid, WANTED.model_copy(update=SOON | {"seed": 1})
    with stopped(first), pytest.raises(Refusal) as starved:
        await in_time(child.run(given_up, "keywords"), given_up)
    assert (starved.value.status, starved.value.code) == (503, "nothing_measured")
    assert "no processor time" in starved.value.sentence and int(starved.value.headers["Retry-After"]) > 0
    other = WANTED.model_copy(update={"seed": 2})
    found = await child.run(other, "keywords")
    assert child.pid == first, "slow is no reason to be killed"
    thread = probing(settings, served)
    expected = await thread.run(other, "keywords")
    await asyncio.to_thread(thread.close)
    assert found.body.split(b'"elapsed_ms"')[0] == expected.body.split(b'"elapsed_ms"')[0]
    assert found.body.rpartition(b'"rows"')[2] == expected.body.rpartition(b'"rows"')[2]


async def test_rows_so_far_are_the_answer_where_the_prober_stands_still(
    settings: Settings, served_folder: Path
) -> None:
    model = Standing(served_folder)
    started = probing(settings, model)
    wanted = LONG.model_copy(update={"deadline_ms": 1500, "steps": (WANTED.steps or []) + (LONG.steps or [])})
    try:
        await started.run(WANTED, "keywords")
        model.left = 40
        answer = await in_time(started.run(wanted, "keywords"), wanted)
        found = rows(answer)
        assert [row["step"] for row in found] == ["swaps", "hunt"], "those that were not begun stand there too"
        assert found[0]["n"] > 0 and found[0]["measured"]
        reached = sum(row["total"] for row in found)
        assert sum(row["out_of_budget"] for row in found) + reached == 6 * 5 + 6
        assert sum(n for _, _, n in answer.outcomes) == reached
        model.go_on.set()
        again = await started.run(wanted.model_copy(update={"deadline_ms": 60_000}), "keywords")
        assert b'"truncated":false' in again.body, "what was cut short is not remembered"
    finally:
        model.go_on.set()
        await asyncio.to_thread(started.close)


class Standing(OnnxClassifier):
    """Stands still after so many runs, until it may go on."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, threads=1)
        self.left = 1_000_000
        self.go_on = threading.Event()

    def predict(self, *arguments: Any, **options: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            self.go_on.wait()
        return super().predict(*arguments, **options)


async def test_who_waits_behind_another_is_answered_by_its_own_deadline(
    settings: Settings, served_folder: Path
) -> None:
    model = Standing(served_folder)
    started = probing(settings, model)
    model.left = 5
    try:
        before = asyncio.ensure_future(started.run(LONG, "keywords"))
        await asyncio.sleep(0.05)
        behind = WANTED.model_copy(update=SOON)
        with pytest.raises(Refusal) as late:
            await in_time(started.run(behind, "keywords"), behind)
        assert late.value.code == "nothing_measured" and not before.done()
        before.cancel()
        model.go_on.set()
        await asyncio.gather(before, return_exceptions=True)
        assert b'"truncated":false' in (await started.run(WANTED, "keywords")).body
    finally:
        model.go_on.set()
        await asyncio.to_thread(started.close)


async def test_requests_that_were_given_up_do_not_pile_up(child: Probing) -> None:
    texts = ["x" * 15_000 for _ in range(6)]  # more than a socket holds
    with stopped(child.pid):
        wanted = (ProbeRequest(texts=texts, seed=seed, battery="quick", deadline_ms=1) for seed in range(8))
        given_up = await asyncio.gather(*(child.run(one, "keywords") for one in wanted), return_exceptions=True)
        assert all(isinstance(one, Refusal) for one in given_up)
        waiting = sum(len(body) for _, body in child._keeper._said)
        assert waiting < 15_000, "what was never sent is taken back"
    assert b'"rows"' in (await child.run(WANTED.model_copy(update={"seed": 3}), "keywords")).body


def test_only_processor_time_says_that_a_prober_is_stuck(settings: Settings, served: OnnxClassifier) -> None:
    ours, theirs = socket.socketpair()
    limits: list[float] = []
    prober = Prober(settings, Channel(theirs), "holder", lambda _: served, limit=limits.append)
    serving = threading.Thread(target=prober.serve)
    serving.start()
    worker = Channel(ours)
    worker.send({"kind": "models"}, b'{"keywords": {"folder": "x", "digest": "y"}}')
    probe = {"kind": "probe", "id": 1, "model": "keywords", "until": time.monotonic() + 30, "stream": False}
    worker.send(probe, WANTED.model_dump_json().encode())
    while worker.receive()[0]["kind"] != "result":
        pass
    worker.send({"kind": "stop"})
    serving.join(20)
    worker.close()
    assert len(limits) == 2 and limits[0] > 60 and limits[1] == 0


def test_the_kernel_ends_what_python_is_stuck_in() -> None:
    program = (
        "import re, signal; from service.probing.__main__ import limit\n"
        "limit(0.3); re.match('(a|aa)+$', 'a' * 100 + 'b')"  # holds the interpreter for ever
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=100, check=False)
    assert ended.returncode == -signal.SIGPROF
