"""`make soak`: an hour of everything at once, against a service that is swapped and left by its clients meanwhile.

Counts what was answered how, and fits a line through the memory of all its processes: flat is what is wanted.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import httpx
import numpy as np
import psutil
import typer
from rich.console import Console
from rich.progress import Progress

from benchmarks.serving.trace import texts as drawn
from benchmarks.soak_verdict import figures
from probes.files import write_text
from runtime import manifest

ROOT = Path(__file__).resolve().parent.parent
SAMPLE_S = 5.0
WORKERS = 2
_TAKEN_S = 10.0
"""Seconds after the last swap in which it may still be taken in."""


@dataclass(slots=True)
class Soak:
    """A service under load, and what came of it."""

    url: str
    texts: list[str]
    rng: np.random.Generator
    statuses: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    """Requests that ended without an answer although the client had not left, by kind."""

    async def predict(self, http: httpx.AsyncClient) -> None:
        await self._post(http, "predict", "/predict", json={"inputs": self._some(1)[0]})

    async def many(self, http: httpx.AsyncClient) -> None:
        await self._post(http, "predict 16", "/predict", json={"inputs": self._some(16)})

    async def card(self, http: httpx.AsyncClient) -> None:
        await self._post(http, "robustness", "/predict?robustness=8", json={"inputs": self._some(1)[0]})

    async def probe(self, http: httpx.AsyncClient) -> None:
        body = {"texts": self._some(2), "battery": "quick", "deadline_ms": 2000}
        await self._post(http, "probe", "/probe", json=body)

    async def job(self, http: httpx.AsyncClient) -> None:
        await self._post(http, "job", "/batteries", json={"texts": self._some(4), "battery": "quick"})

    async def leave(self, http: httpx.AsyncClient) -> None:
        """A client that does not wait for its answer."""
        await self._post(http, "left", "/predict", json={"inputs": self._some(8)}, timeout=0.01)

    async def nonsense(self, http: httpx.AsyncClient) -> None:
        """A path nobody has, with a body nobody reads."""
        pickle = {"content": b"\x80\x04K\x01.", "headers": {"Content-Type": "application/x-pickle"}}
        await self._post(http, "nonsense", f"/{self.rng.integers(10**9)}", **pickle)

    def _some(self, count: int) -> list[str]:
        return [self.texts[at] for at in self.rng.integers(len(self.texts), size=count)]

    async def _post(self, http: httpx.AsyncClient, kind: str, path: str, **sent: Any) -> None:
        try:
            answer = await http.post(path, **sent)
        except httpx.HTTPError as error:
            if kind == "left" and isinstance(error, httpx.TimeoutException):
                self.statuses["left"] += 1
            else:
                self.broken[f"{kind} {type(error).__name__}"] += 1
        else:
            self.statuses[f"{kind} {answer.status_code}"] += 1


MIX: dict[str, float] = {
    "predict": 0.6, "many": 0.08, "card": 0.08, "probe": 0.02, "job": 0.005, "leave": 0.12, "nonsense": 0.095,
}  # fmt: skip


def main(
    minutes: Annotated[float, typer.Option(help="How long.", min=0.1)] = 60.0,
    rate: Annotated[float, typer.Option(help="Requests a second.", min=1)] = 40.0,
    swap_s: Annotated[float, typer.Option(help="Seconds between swaps of the model folder.", min=1)] = 20.0,
    model: Annotated[Path, typer.Option(help="Model folder.")] = ROOT / "models" / "topics",
    out: Annotated[Path, typer.Option(help="Where the figures go.")] = ROOT / "reports" / "soak.json",
) -> None:
    """Soak the service; exit status 1 when a request failed, work was refused, swaps were missed or the memory grew.

    Example: python -m benchmarks.soak --minutes 10
    """
    console = Console()
    texts = drawn([ROOT / "examples" / "demo.jsonl"], model, 5000, np.random.default_rng(0))
    with tempfile.TemporaryDirectory(prefix="soak-") as work:
        folder = Path(work) / "model"
        folder.symlink_to(_copy(model, Path(work) / "one"))
        other = _copy(model, Path(work) / "two")
        # another model by its identity, which is the manifest's: the same would go on being served
        manifest.write(other, replace(manifest.read(other), created_by="soak"))
        process, url = _start(folder, Path(work))
        try:
            soak = Soak(url, texts, np.random.default_rng(1))
            memory = asyncio.run(_run(soak, process, folder, minutes * 60, rate, swap_s))
            soak.statuses["reloads"] = _reloads(url, soak.statuses["swaps"] * WORKERS)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    found = figures(soak.statuses, soak.broken, memory, minutes, WORKERS)
    write_text(out, json.dumps(found, indent=1, sort_keys=True) + "\n")
    console.print_json(json.dumps({key: value for key, value in found.items() if key != "memory"}))
    raise typer.Exit(0 if found["flat"] and not found["faults"] else 1)


async def _run(
    soak: Soak, process: psutil.Popen, folder: Path, seconds: float, rate: float, swap_s: float
) -> list[tuple[float, float]]:
    """Load, swaps and samples side by side; memory as (seconds, MiB)."""
    kinds: list[Callable[[httpx.AsyncClient], Awaitable[None]]] = [getattr(soak, name) for name in MIX]
    memory: list[tuple[float, float]] = []
    begun = time.monotonic()
    swapped = sampled = begun
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
    async with httpx.AsyncClient(base_url=soak.url, timeout=30, limits=limits) as http, asyncio.TaskGroup() as group:
        with Progress(transient=True) as progress:
            bar = progress.add_task("soaking", total=seconds)
            while (now := time.monotonic()) - begun < seconds:
                progress.update(bar, completed=now - begun)
                group.create_task(kinds[soak.rng.choice(len(kinds), p=list(MIX.values()))](http))
                if now - swapped > swap_s:
                    swapped = now
                    _swap(folder)
                    soak.statuses["swaps"] += 1
                if now - sampled > SAMPLE_S:
                    sampled = now
                    memory.append((now - begun, _memory(process)))
                await asyncio.sleep(soak.rng.exponential(1 / rate))
    return memory


def _swap(folder: Path) -> None:
    """Let the link name the other copy, in one step."""
    other = folder.parent / ("two" if folder.resolve().name == "one" else "one")
    fresh = folder.parent / "fresh"
    fresh.symlink_to(other)
    fresh.rename(folder)


def _copy(model: Path, to: Path) -> Path:
    shutil.copytree(model, to)
    return to


def _start(folder: Path, work: Path) -> tuple[psutil.Popen, str]:
    command = [sys.executable, "-m", "service", "--model", str(folder), "--port", "0", "--workers", str(WORKERS)]
    log = work / "server.log"
    with log.open("wb") as file:
        process = psutil.Popen(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, env=environment(work))
    for _ in range(600):
        said = log.read_text(errors="replace")
        for word in said.split():
            if word.startswith("http://"):
                with suppress(httpx.HTTPError):
                    if httpx.get(f"{word}/readyz").status_code == 200:
                        return process, word
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit(f"the service did not start: {log.read_text(errors='replace')[-500:]}")


def environment(work: Path) -> dict[str, str]:
    """That of the service: a state folder that goes with the soak: jobs and models of others are not its business."""
    return {**os.environ, "BABELPROOF_STATE": str(work / "state")}


def _reloads(url: str, wanted: int) -> int:
    """Models taken in, by all workers together; the last may take a moment."""
    ends = time.monotonic() + _TAKEN_S
    while True:
        lines = httpx.get(f"{url}/metrics").text.splitlines()
        taken = sum(int(float(line.split()[-1])) for line in lines if line.startswith("babelproof_model_swaps_total"))
        if taken >= wanted or time.monotonic() > ends:
            return taken
        time.sleep(0.5)


def _memory(process: psutil.Popen) -> float:
    """MiB of all its processes that are theirs alone."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        with suppress(psutil.Error):
            total += one.memory_full_info().uss
    return total / 2**20


if __name__ == "__main__":
    typer.run(main)
