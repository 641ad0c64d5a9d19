"""The prober as a process: what it answers, how far it steps back, what becomes of requests when it is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runtime.classifier import OnnxClassifier
from service.answers.schemas import ProbeRequest
from service.http.errors import Refusal
from service.interface import Interface
from service.models import Models
from service.models.folder import Opened, Place
from service.models.served import Served
from service.probing.client import Probing
from service.settings import Settings
from tests.fakes_interface import SETTINGS, SWAPS, TEXTS
from tests.fakes_jobs import Slow
from tests.fakes_prober import probing
from tests.fakes_service import ROOT, eventually

WANTED = ProbeRequest(texts=TEXTS, languages=["en", "de"], steps=SWAPS, deadline_ms=100_000)
LONG = ProbeRequest(
    texts=[f"{TEXTS[0]} {number}" for number in range(6)],
    languages=["en"] * 6,
    steps=[{"name": "hunt", "kind": "attack", "attack": "greedy", "perturbations": ["swap", "drop"], "budget": 2000}],
    deadline_ms=100_000,
)


def models_of(folder: Path, classifier: OnnxClassifier) -> Models:
    """One model that lies in a folder."""
    from runtime.engine import Engine

    return Models([Served("keywords", Opened(Engine(classifier), Place(classifier.manifest.sha256, folder)))])


@pytest.fixture
def settings(served_folder: Path, tmp_path: Path) -> Settings:
    return replace(SETTINGS, model=served_folder, state=tmp_path, prober_priority="normal")


@pytest.fixture
def child(settings: Settings, served: OnnxClassifier, served_folder: Path) -> Iterator[Probing]:
    started = Probing(settings, models_of(served_folder, served))
    yield started
    started.close()


async def test_a_process_answers_as_a_thread_does(child: Probing, settings: Settings, served: OnnxClassifier) -> None:
    found = await child.run(WANTED, "keywords")
    thread = probing(settings, served)
    told: list[str] = []
    other = await thread.run(WANTED, "keywords", lambda kind, _: told.append(kind))
    await asyncio.to_thread(thread.close)
    elapsed = b'"elapsed_ms"'
    assert found.body.split(elapsed)[0] == other.body.split(elapsed)[0] and found.outcomes == other.outcomes
    assert "progress" in told and "flip" in told
    again = await child.run(WANTED, "keywords")
    assert again.body == found.body and again.outcomes == (), "from memory; counted once"


@pytest.mark.parametrize(("priority", "policy"), [("low", os.SCHED_BATCH), ("idle", os.SCHED_IDLE)])
def test_a_prober_steps_back_as_it_is_told(
    settings: Settings, served: OnnxClassifier, served_folder: Path, priority: str, policy: int
) -> None:
    started = Probing(replace(settings, prober_priority=priority), models_of(served_folder, served))
    started.start()
    try:
        eventually(lambda: started.pid and os.sched_getscheduler(started.pid) == policy)
        _has_stepped_back(started.pid)
    finally:
        started.close()


def _has_stepped_back(pid: int | None) -> None:
    assert pid
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    nice, session = int(fields[16]), int(fields[3])
    assert (nice, session) == (19, pid), "nice, in a session of its own"
    autogroup = Path(f"/proc/{pid}/autogroup")
    if autogroup.exists() and autogroup.read_text().strip():
        eventually(lambda: autogroup.read_text().rsplit(maxsplit=1)[-1] == "19")


async def test_a_killed_prober_is_told_and_started_again(child: Probing) -> None:
    await child.run(WANTED, "keywords")
    first = child.pid
    assert first
    os.kill(first, signal.SIGSTOP)
    under_way = asyncio.ensure_future(child.run(LONG, "keywords"))
    await asyncio.sleep(0.1)
    os.kill(first, signal.SIGKILL)
    with pytest.raises(Refusal) as lost:
        await under_way
    assert (lost.value.status, lost.value.code) == (503, "prober_restarting")
    assert int(lost.value.headers["Retry-After"]) > 0
    other = WANTED.model_copy(update={"seed": 7})
    assert b'"rows"' in (await child.run(other, "keywords")).body
    assert child.pid not in (None, first)


@pytest.fixture
async def slow(settings: Settings, served_folder: Path) -> AsyncIterator[tuple[Probing, Slow]]:
    model = Slow(served_folder)
    started = probing(settings, model)
    yield started, model
    await asyncio.to_thread(started.close)


async def test_nobody_waits_nobody_works(slow: tuple[Probing, Slow]) -> None:
    started, model = slow
    leaving = asyncio.ensure_future(started.run(LONG, "keywords"))
    while model.runs < 3:
        await asyncio.sleep(0.01)
    leaving.cancel()
    await asyncio.sleep(0.25)
    runs = model.runs
    await asyncio.sleep(0.2)
    assert model.runs == runs


async def test_only_so_many_wait(slow: tuple[Probing, Slow], settings: Settings) -> None:
    started, _ = slow
    waiting = [asyncio.ensure_future(started.run(LONG, "keywords")) for _ in range(settings.probe_queue)]
    await asyncio.sleep(0)
    with pytest.raises(Refusal) as full:
        await started.run(WANTED, "keywords")
    assert (full.value.status, full.value.code) == (429, "overloaded")
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


class Visitor:
    """A client of /probe as the server under the application sees it: what it is sent, and when it leaves."""

    def __init__(self, body: ProbeRequest, accept: str) -> None:
        self.sent: list[str] = []
        self.left = asyncio.Event()
        self.heard = asyncio.Event()
        self._body = [body.model_dump_json(exclude_defaults=True).encode()]
        headers = [(b"content-type", b"application/json"), (b"accept", accept.encode())]
        path = {"method": "POST", "path": "/probe", "query_string": b""}
        self.scope = {"type": "http", "asgi": {"spec_version": "2.3"}, "headers": headers, **path}

    async def receive(self) -> dict[str, Any]:
        if self._body:
            return {"type": "http.request", "body": self._body.pop()}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            self.sent.append(message["body"].decode())
            if "event: " in self.sent[-1]:
                self.heard.set()


@asynccontextmanager
async def visited(
    classifier: OnnxClassifier,
    settings: Settings,
    body: ProbeRequest,
    accept: str = "text/event-stream",
    kind: type[Visitor] = Visitor,
) -> AsyncIterator[tuple[Visitor, Probing, asyncio.Task[None]]]:
    models = Models.over("keywords", classifier)
    started = probing(settings, classifier, models)
    served = Interface(settings, models, started)
    visitor = kind(body, accept)
    answering = asyncio.ensure_future(served(visitor.scope, visitor.receive, visitor.send))  # type: ignore[arg-type]
    yield visitor, started, answering  # type: ignore[misc]
    await asyncio.wait_for(answering, 30)
    await asyncio.to_thread(served.close)


async def test_events_tell_flips_and_progress_then_the_answer(served: OnnxClassifier, settings: Settings) -> None:
    async with visited(served, settings, WANTED) as (visitor, _, answering):
        await answering
    sent = "".join(visitor.sent)
    kinds = [line.removeprefix("event: ") for line in sent.splitlines() if line.startswith("event: ")]
    assert kinds[-1] == "result" and {"flip", "progress", "result"} == set(kinds) and kinds.count("result") == 1
    assert '"language_source":"given"' in sent.rpartition("data: ")[2]


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_a_client_that_leaves_ends_its_run(served_folder: Path, settings: Settings, accept: str) -> None:
    model = Slow(served_folder)
    async with visited(model, settings, LONG, accept) as (visitor, _, _):
        while model.runs < 3:
            await asyncio.sleep(0.01)
        visitor.left.set()
        await asyncio.sleep(0.35)
        runs = model.runs
        await asyncio.sleep(0.2)
        assert model.runs == runs
    assert not any("event: result" in part for part in visitor.sent)


class Leaving(Visitor):
    """Goes as soon as the answer comes, and slowly."""

    async def send(self, message: dict[str, Any]) -> None:
        self.left.set()
        await asyncio.sleep(0.6)  # more than one round of the patrol
        await super().send(message)


async def test_a_client_that_leaves_while_it_is_answered_is_no_failure(
    served: OnnxClassifier, settings: Settings
) -> None:
    async with visited(served, settings, WANTED, "application/json", Leaving) as (visitor, _, answering):
        await answering  # would raise what the server takes for a failure
    assert '"rows"' in visitor.sent[0]


async def test_a_prober_that_is_lost_is_told_among_the_events(served_folder: Path, settings: Settings) -> None:
    async with visited(Slow(served_folder), settings, LONG) as (visitor, started, answering):
        await visitor.heard.wait()
        started._keeper.kill()
        await answering
    assert visitor.sent[-2].startswith("event: error") and '"code":"prober_restarting"' in visitor.sent[-2]


def test_a_prober_does_not_outlive_its_worker(served_folder: Path, tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "import runtime; from service.settings import Settings; from service.probing.client import Probing\n"
        "from tests.test_prober import models_of\n"
        "folder = Path(sys.argv[1]); settings = Settings(model=folder, state=Path(sys.argv[2]))\n"
        "probing = Probing(settings, models_of(folder, runtime.load(folder, threads=1))); probing.start()\n"
        "while not probing.pid: time.sleep(0.01)\n"
        "print(probing.pid, flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, str(served_folder), str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        pid = int(worker.stdout.readline())
        time.sleep(0.5)
        worker.kill()
        eventually(lambda: not Path(f"/proc/{pid}").exists() or _ended(pid), 20)


def _ended(pid: int) -> bool:
    """Whether nothing is left of a process but its entry."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
