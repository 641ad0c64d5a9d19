"""A running service: real processes on a free loopback port, ended with the test."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
START_S = 120.0


@dataclass(frozen=True)
class Server:
    """A started `python -m service`."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


def eventually(true: object, seconds: float = START_S) -> float:
    """Seconds until the callable said yes; fails the test when it never does."""
    started = time.monotonic()
    while not true():  # type: ignore[operator]
        assert time.monotonic() - started < seconds, f"did not come about within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - started


@contextmanager
def serving(model: Path, log: Path, *, workers: int = 1, **settings: str) -> Iterator[Server]:
    """Serve a model folder; settings are BABELPROOF_ variables without their prefix."""
    settings = {"STATE": str(log.parent / "state"), "LAME_DUCK_S": "0.05", "PROBER_PRIORITY": "normal", **settings}
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **{f"BABELPROOF_{k}": v for k, v in settings.items()}}
    command = [sys.executable, "-m", "service", "--model", str(model), "--port", "0", "--workers", str(workers)]
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file)
    try:
        found: list[str] = []
        eventually(lambda: process.poll() is not None or found.extend(_addresses(log)) or found)
        assert found, log.read_text()
        server = Server(found[0], process, log)
        eventually(server.ready)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _addresses(log: Path) -> list[str]:
    return re.findall(r"serving .* on (http://[^\s\"]+)", log.read_text())
