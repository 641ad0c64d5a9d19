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
from numpy.typing import NDArray

from benchmarks.serving.load import Answered, offer, poisson, saturate
from benchmarks.serving.process import HOST, Running, running
from benchmarks.serving.systems import ROOT, System

SERVER_CORE, LOAD_CORE = 0, 1
CALLERS = 64
REFUSED = frozenset({408, 429, 503, 504})
"""Statuses by which a server says that it will not, or not any more."""
_SETTLE_S, _SETTLE_TRIES = 0.5, 30


@dataclass(frozen=True, slots=True)
class Plan:
    """How much: offered rates as shares of the raw limit, seconds at each, and the objective."""

    shares: tuple[float, ...] = (0.2, 0.35, 0.5, 0.65, 0.8, 1.0, 1.5)
    seconds: float = 8.0
    objective_ms: int = 100
    patience_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One server at one offered rate; shares are of all requests that were due, times in milliseconds."""

    share: float
    """Of the limit as it was before."""
    offered: float
    n: int
    good: float
    """Answered with status 200 within the objective."""
    answered: float
    """Answered with status 200, in time or not."""
    refused: float
    """Told that there will be no answer: 408, 429, 503 or 504."""
    refused_p99: float | None
    """How long it took to be told so, from when the request was due."""
    dropped: float | None
    """Of the requests it had admitted, the share it refused later; None of a server that does not count them."""
    p50: float
    p99: float
    """Of all requests; one that was refused or broke off counts as never."""
    kept: float | None
    """Of those answered 200, the share within the objective."""
    cpu_ms: float
    """Processor time of the server a request answered 200."""


def raw_limit(model: Path, texts: Sequence[str]) -> tuple[float, list[str]]:
    """Texts a second through the graph alone (tokenised before, packed, no HTTP, the servers' core); their labels."""
    program = "from benchmarks.serving.raw import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "SERVED_MODEL": str(model)}
    command = ["taskset", "-c", str(SERVER_CORE), sys.executable, "-c", program]
    asked = json.dumps(list(texts))
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True, env=environment, cwd=ROOT)
    found = json.loads(done.stdout)
    return found["texts_per_second"], found["labels"]


@contextmanager
def started(system: System, model: Path, limit: float) -> Iterator[Running]:
    """The server on its core, warm, and this process on the other one."""
    os.sched_setaffinity(0, {LOAD_CORE})
    with (
        tempfile.TemporaryDirectory(prefix="serving-") as work,
        running(system, model, SERVER_CORE, Path(work), _most(system, limit)) as up,
    ):
        yield up


def _most(system: System, limit: float) -> int:
    """Half as many requests as the graph alone answers within the objective: the server needs time beside it."""
    return max(1, round(limit * system.objective_ms / 1000 / 2))


def agreement(server: Running, texts: Sequence[str], labels: Sequence[str]) -> float:
    """Share of texts to which the server gives the label of the graph alone: nobody is fast by answering otherwise."""
    return sum(server.ask(text) == label for text, label in zip(texts, labels, strict=True)) / len(texts)


def ladder(server: Running, texts: Sequence[str], limit: float, plan: Plan, rng: np.random.Generator) -> list[Point]:
    """The server at every offered rate, rising; it may finish what it still has before each."""
    requests = _warmed(server, texts, plan)
    points = []
    for share in plan.shares:
        settle(server)
        due = poisson(share * limit, plan.seconds, rng)
        before, counted = server.cpu_seconds(), server.counted()
        answered = asyncio.run(offer(HOST, server.port, requests, due, patience_s=plan.patience_s))
        cpu, dropped = server.cpu_seconds() - before, _dropped(counted, server.counted())
        points.append(_point(share, share * limit, answered, cpu, dropped, plan))
    return points


def saturated(server: Running, texts: Sequence[str], plan: Plan) -> tuple[float, float]:
    """Answers a second when there is always somebody waiting, and the share of what was asked that got none."""
    requests = _warmed(server, texts, plan)
    settle(server)
    good, failed, took = asyncio.run(
        saturate(HOST, server.port, requests, plan.seconds, callers=CALLERS, patience_s=plan.patience_s)
    )
    return good / took, failed / max(1, good + failed)


def _warmed(server: Running, texts: Sequence[str], plan: Plan) -> list[bytes]:
    """The requests, after the server has had a second of them: it has then started wholly."""
    requests = [server.system.request(text, HOST) for text in texts]
    asyncio.run(saturate(HOST, server.port, requests, 1.0, callers=8, patience_s=plan.patience_s))
    return requests


def settle(server: Running) -> None:
    """Wait until the server is idle, at most some seconds."""
    for _ in range(_SETTLE_TRIES):
        before = server.cpu_seconds()
        time.sleep(_SETTLE_S)
        if server.cpu_seconds() - before < _SETTLE_S / 10:
            return


def latencies(answered: Sequence[Answered]) -> NDArray[np.float64]:
    """In milliseconds; of what was not answered 200, infinity."""
    return np.array([one.latency * 1000 if one.status == 200 else np.inf for one in answered])


def _dropped(before: Sequence[float], after: Sequence[float]) -> float | None:
    if not before:
        return None
    admitted, dropped = (now - then for then, now in zip(before, after, strict=True))
    return dropped / max(1.0, admitted)


def _point(
    share: float, offered: float, answered: Sequence[Answered], cpu: float, dropped: float | None, plan: Plan
) -> Point:
    n = len(answered)
    good = [one for one in answered if one.status == 200]
    in_time = sum(one.latency * 1000 <= plan.objective_ms for one in good)
    p50, p99 = np.quantile(latencies(answered), (0.5, 0.99), method="higher")
    refused = [one.latency * 1000 for one in answered if one.status in REFUSED]
    return Point(
        share=share,
        offered=offered,
        n=n,
        good=in_time / n,
        answered=len(good) / n,
        refused=len(refused) / n,
        refused_p99=float(np.quantile(refused, 0.99, method="higher")) if refused else None,
        dropped=dropped,
        p50=float(p50),
        p99=float(p99),
        kept=in_time / len(good) if good else None,
        cpu_ms=cpu * 1000 / max(1, len(good)),
    )


def as_json(points: Sequence[Point]) -> list[dict[str, Any]]:
    """Points as JSON; no number where a quantile is never."""
    return [{k: None if v == float("inf") else v for k, v in asdict(point).items()} for point in points]
