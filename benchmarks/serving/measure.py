"""What is measured of every server in turn, and of the graph alone on the same texts, core and thread."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.serving.load import Answered, offer, poisson, saturate
from benchmarks.serving.process import HOST, Running, running
from benchmarks.serving.systems import ROOT, System

SERVER_CORE, LOAD_CORE = 0, 1
CALLERS = 64
RAW_TEXTS = 500
_SETTLE_S, _SETTLE_TRIES = 0.5, 30


@dataclass(frozen=True, slots=True)
class Plan:
    """How much: offered rates as shares of the raw limit, seconds at each, and the objective."""

    shares: tuple[float, ...] = (0.2, 0.35, 0.5, 0.65, 0.8, 1.0, 1.5)
    seconds: float = 8.0
    objective_ms: int = 100
    patience_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Point:
    """One server at one offered rate; shares are of all requests that were due, times in milliseconds."""

    share: float
    offered: float
    n: int
    good: float
    """Answered with status 200 within the objective."""
    answered: float
    """Answered with status 200, in time or not."""
    refused: float
    """429 or 503."""
    p50: float
    p99: float
    """Of all requests; one that was refused or broke off counts as never."""
    kept: float | None
    """Of those answered 200, the share within the objective."""
    cpu_ms: float
    """Processor time of the server a request answered 200."""


def raw_limit(model: Path, texts: Sequence[str]) -> tuple[float, list[str]]:
    """Texts a second through the graph alone (tokenised before, packed, no HTTP, the servers' core), and its labels."""
    program = "from benchmarks.serving.raw import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "SERVED_MODEL": str(model)}
    command = ["taskset", "-c", str(SERVER_CORE), sys.executable, "-c", program]
    asked = json.dumps(list(texts[:RAW_TEXTS]))
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True, env=environment, cwd=ROOT)
    found = json.loads(done.stdout)
    return found["texts_per_second"], found["labels"]


@contextmanager
def started(system: System, model: Path) -> Iterator[Running]:
    """The server on its core, and this process on the other one."""
    os.sched_setaffinity(0, {LOAD_CORE})
    with tempfile.TemporaryDirectory(prefix="serving-") as work, running(system, model, SERVER_CORE, Path(work)) as up:
        yield up


def agreement(server: Running, texts: Sequence[str], labels: Sequence[str]) -> float:
    """Share of texts to which the server gives the label of the graph alone: nobody is fast by answering otherwise."""
    return sum(server.ask(text) == label for text, label in zip(texts, labels, strict=True)) / len(texts)


def ladder(server: Running, texts: Sequence[str], limit: float, plan: Plan, rng: np.random.Generator) -> list[Point]:
    """The server at every offered rate, rising; it may finish what it still has before each."""
    requests = [server.system.request(text, HOST) for text in texts]
    points = []
    for share in plan.shares:
        _settle(server)
        due = poisson(share * limit, plan.seconds, rng)
        before = server.cpu_seconds()
        answered = asyncio.run(offer(HOST, server.port, requests, due, patience_s=plan.patience_s))
        points.append(_point(share, share * limit, answered, server.cpu_seconds() - before, plan))
    return points


def saturated(server: Running, texts: Sequence[str], seconds: float) -> float:
    """Answers a second when there is always somebody waiting, after it has started wholly and had a second of work."""
    requests = [_undated(server.system, text) for text in texts]
    asyncio.run(saturate(HOST, server.port, requests, 1.0, callers=8))
    _settle(server)
    good, took = asyncio.run(saturate(HOST, server.port, requests, seconds, callers=CALLERS))
    return good / took


def _settle(server: Running) -> None:
    """Wait until the server is idle, at most some seconds."""
    for _ in range(_SETTLE_TRIES):
        before = server.cpu_seconds()
        time.sleep(_SETTLE_S)
        if server.cpu_seconds() - before < _SETTLE_S / 10:
            return


def _undated(system: System, text: str) -> bytes:
    """A request without a deadline: at saturation everything is late."""
    plain = System(system.name, system.command, system.body, system.label, system.path)
    return plain.request(text, HOST)


def _point(share: float, offered: float, answered: Sequence[Answered], cpu: float, plan: Plan) -> Point:
    n = len(answered)
    good = [one for one in answered if one.status == 200]
    in_time = sum(one.latency * 1000 <= plan.objective_ms for one in good)
    latencies = np.array([one.latency * 1000 if one.status == 200 else np.inf for one in answered])
    p50, p99 = np.quantile(latencies, (0.5, 0.99), method="higher")
    refused = sum(one.status in (429, 503) for one in answered)
    return Point(
        share,
        offered,
        n,
        in_time / n,
        len(good) / n,
        refused / n,
        float(p50),
        float(p99),
        in_time / len(good) if good else None,
        cpu * 1000 / max(1, len(good)),
    )


def as_json(points: Sequence[Point]) -> list[dict[str, Any]]:
    """Points as JSON; no number where a quantile is never."""
    return [{k: None if v == float("inf") else v for k, v in asdict(point).items()} for point in points]
