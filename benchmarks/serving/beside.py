"""What a battery costs live traffic: the same load with and without 10,000 variants being probed, in turn.

Service and prober share one core; only the kernel's priorities and the engine's own stand between them.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import httpx
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.serving import measure
from benchmarks.serving.load import Answered, offer, poisson
from benchmarks.serving.process import HOST, Running
from benchmarks.serving.systems import OURS, ROOT, System, systems
from benchmarks.serving.trace import texts as drawn
from probes.files import write_text

TEXTS, DRAWS = 200, 50
_STEPS = [{"name": "noise", "perturbations": ["swap", "drop", "keyboard"], "strength": 0.1, "draws": DRAWS}]


def main(
    model: Annotated[Path, typer.Option(help="Model folder.")] = ROOT / "models" / "topics",
    rounds: Annotated[int, typer.Option(help="Pairs of phases.", min=1)] = 5,
    seconds: Annotated[float, typer.Option(help="Seconds a phase.", min=1)] = 15.0,
    share: Annotated[float, typer.Option(help="Load, as a share of the raw limit.")] = 0.5,
    priority: Annotated[str, typer.Option(help="Of the prober: idle, low or normal.")] = "idle",
    out: Annotated[Path, typer.Option(help="Where the figures go.")] = ROOT / "reports" / "beside.json",
) -> None:
    """Measure latency with a battery running, against none.

    Example: python -m benchmarks.serving.beside --rounds 3
    """
    texts = drawn([ROOT / "examples" / "demo.jsonl"], model, 600, np.random.default_rng(0))
    limit, _ = measure.raw_limit(model.resolve(), texts)
    rows: list[dict[str, Any]] = []
    with measure.started(_ours(priority), model.resolve(), limit) as server:
        measure.saturated(server, texts, measure.Plan(seconds=2))
        for number in range(rounds):
            row: dict[str, Any] = {}
            for phase in order(number):
                measure.settle(server)
                before, job = _submit(server, texts[:TEXTS], number) if phase == "beside" else (0, None)
                row[phase] = _phase(server, texts, share * limit, seconds, np.random.default_rng([11, number]))
                if job is not None:
                    row["variants"] = _finish(server, job) - before
            rows.append(row)
    ratios = {
        name: _spread([_ratio(row["beside"][name], row["alone"][name]) for row in rows])
        for name in ("p50", "p99", "good")
    }
    probed = {name: _spread([row["variants"] / by for row in rows]) for name, by in (("phase", 1), ("second", seconds))}
    said = {"share": share, "seconds": seconds, "priority": priority, "wanted": TEXTS * DRAWS}
    made = _told({**said, "rounds": rows, "ratios": ratios, "variants": probed})
    write_text(out, json.dumps(made, indent=1, allow_nan=False) + "\n")
    title = f"{share:g} of the limit, {rounds} pairs, prober {priority}"
    table = Table("", "with a battery against without", "range", title=title)
    for name, (middle, low, high) in ratios.items():
        table.add_row(name, f"{middle:.3f}", f"{low:.3f} to {high:.3f}")
    for name, (middle, low, high) in probed.items():
        table.add_row(f"variants a {name}", f"{middle:.0f}", f"{low:.0f} to {high:.0f}")
    Console().print(table)


def order(number: int) -> tuple[str, str]:
    """Who is first changes from round to round: what drifts meanwhile is then nobody's."""
    return ("alone", "beside") if number % 2 == 0 else ("beside", "alone")


def _ratio(beside: float, alone: float) -> float:
    """Infinity also where both are: such a pair says nothing good."""
    return beside / alone if math.isfinite(alone) and alone else math.inf


def _told(found: Any) -> Any:
    """As JSON has it: no number for what never came."""
    if isinstance(found, dict):
        return {key: _told(value) for key, value in found.items()}
    if isinstance(found, list):
        return [_told(value) for value in found]
    return None if found == math.inf else found


def _ours(priority: str) -> System:
    """Our system with a prober of this priority."""
    ours = systems(1000)[OURS]
    return replace(ours, command=("env", f"BABELPROOF_PROBER_PRIORITY={priority}", *ours.command))


def _spread(values: list[float]) -> list[float]:
    """Median, least and greatest."""
    return [median(values), min(values), max(values)]


def _phase(
    server: Running, texts: list[str], rate: float, seconds: float, rng: np.random.Generator
) -> dict[str, float]:
    requests = [server.system.request(text, HOST) for text in texts]
    return figures(asyncio.run(offer(HOST, server.port, requests, poisson(rate, seconds, rng), patience_s=5)))


def figures(answered: Sequence[Answered]) -> dict[str, float]:
    """Milliseconds of all that were due, infinity where no answer came, and the share that was answered."""
    times = measure.latencies(answered)
    p50, p99 = np.quantile(times, (0.5, 0.99), method="higher")
    return {"p50": float(p50), "p99": float(p99), "good": float(np.isfinite(times).mean())}


def _submit(server: Running, texts: list[str], number: int) -> tuple[int, str]:
    body = {"texts": texts, "languages": ["en"] * len(texts), "steps": _STEPS, "seed": number}
    answer = httpx.post(_url(server, "/batteries"), json=body).raise_for_status().json()
    for _ in range(100):
        if (seen := _job(server, answer["id"]))["state"] == "running":
            return int(seen["progress"]["done"]), str(answer["id"])
        time.sleep(0.1)
    raise SystemExit("the battery did not start")


def _finish(server: Running, job: str) -> int:
    """End the job; how far it had come, a second ago or later."""
    done = int(_job(server, job)["progress"]["done"])
    httpx.delete(_url(server, f"/batteries/{job}")).raise_for_status()
    time.sleep(1)
    return done


def _job(server: Running, job: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(_url(server, f"/batteries/{job}")).raise_for_status().json()
    return found


def _url(server: Running, path: str) -> str:
    return f"http://{HOST}:{server.port}{path}"


if __name__ == "__main__":
    typer.run(main)
