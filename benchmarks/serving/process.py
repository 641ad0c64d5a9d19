"""A server of the comparison: started on its own core, waited for, its processor time read, ended with its family."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.serving.systems import ROOT, System

HOST = "127.0.0.1"
_START_S = 60.0


class ServerError(RuntimeError):
    """A server that did not come up; the message has the end of what it said."""


@dataclass(slots=True)
class Running:
    """A server that answers."""

    system: System
    port: int
    process: psutil.Popen

    def cpu_seconds(self) -> float:
        """Processor time of it and all its processes so far; of those that have ended, none."""
        total = 0.0
        for one in _family(self.process):
            with suppress(psutil.Error):
                times = one.cpu_times()
                total += times.user + times.system
        return total

    def counted(self) -> tuple[float, ...]:
        """What it says by its own metrics that it admitted and then dropped, so far; nothing where it has no such."""
        if not self.system.counts:
            return ()
        with urllib.request.urlopen(f"http://{HOST}:{self.port}/metrics", timeout=10) as response:
            lines = response.read().decode().splitlines()
        return tuple(
            sum(float(line.split()[-1]) for line in lines if line.partition("{")[0] == name)
            for name in self.system.counts
        )

    def ask(self, text: str) -> str:
        """The label of one text, asked in the plainest way."""
        return self.system.label(_post(self.system, self.port, text))


@contextmanager
def running(system: System, model: Path, core: int, work: Path, most: int) -> Iterator[Running]:
    """Start a server on one core and wait until it answers a text; ServerError when it does not."""
    if system.prepare is not None:
        system.prepare(model, work)
    port = _free()
    said = {
        "python": str(system.python),
        "bin": str(system.python.parent),
        "port": str(port),
        "model": str(model),
        "work": str(work),
        "most": str(most),
    }
    command = ["taskset", "-c", str(core), *(part.format(**said) for part in system.command)]
    log = work / "server.log"
    with log.open("wb") as file:
        process = psutil.Popen(
            command,
            cwd=work if system.prepare else ROOT,
            env=_environment(system, model, work),
            stdout=file,
            stderr=file,
        )
    try:
        started = Running(system, port, process)
        _await(started, log)
        yield started
    finally:
        _end(process)


def _environment(system: System, model: Path, work: Path) -> dict[str, str]:
    """One thread for everybody, no telemetry, homes of their own, and what an answer is of no use after."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SERVED_MODEL": str(model),
        "SERVED_OBJECTIVE_MS": str(system.objective_ms),
        "OMP_NUM_THREADS": "1",
        "BABELPROOF_THREADS": "1",
        "BABELPROOF_STATE": str(work / "state"),
        "TOKENIZERS_PARALLELISM": "false",
        "BENTOML_HOME": str(work / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
        "DO_NOT_TRACK": "1",
        "INFINITY_ANONYMOUS_USAGE_STATS": "0",
        "HF_HUB_OFFLINE": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "disabled",
    }


def _await(server: Running, log: Path) -> None:
    begun = time.monotonic()
    while True:
        with suppress(Exception):
            server.ask("Is anybody there?")
            return
        if server.process.poll() is not None or time.monotonic() - begun > _START_S:
            said = log.read_text(errors="replace")[-600:]
            raise ServerError(f"{server.system.name} does not answer: {said}")
        time.sleep(0.25)


def _post(system: System, port: int, text: str) -> Any:
    headers = {"Content-Type": "application/json"}
    body = json.dumps(system.body(text)).encode()
    request = urllib.request.Request(f"http://{HOST}:{port}{system.path}", body, headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def _free() -> int:
    """The first of three free ports in a row, which is what MLServer takes."""
    while True:
        with ExitStack() as held, suppress(OSError):
            first = held.enter_context(socket.socket())
            first.bind((HOST, 0))
            port: int = first.getsockname()[1]
            for after in (1, 2):
                held.enter_context(socket.socket()).bind((HOST, port + after))
            return port


def _family(process: psutil.Popen) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return [process, *process.children(recursive=True)]
    return []


def _end(process: psutil.Popen) -> None:
    family = _family(process)
    for one in family:
        with suppress(psutil.Error):
            one.terminate()
    _, alive = psutil.wait_procs(family, timeout=10)
    for one in alive:
        with suppress(psutil.Error):
            one.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
