"""What a battery costs live traffic: the same load with and without 10,000 variants being probed, in turn.

Service and prober share one core; only the kernel's priorities and the engine's own stand between them.
"""

from __future__ import annotations

import asyncio
import json
import time
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
from benchmarks.serving.load import offer, poisson
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
    texts = drawn([ROOT / "examples" / "demo.jsonl"], model, 2000, np.random.default_rng(0))
    limit, _ = measure.raw_limit(model.resolve(), texts)
    rows: list[dict[str, Any]] = []
    with measure.started(_ours(priority), model.resolve()) as server:
        measure.saturated(server, texts, 2)
        for number in range(rounds):
            rng = np.random.default_rng([11, number])
            alone = _phase(server, texts, share * limit, seconds, rng)
            before, job = _submit(server, texts[:TEXTS], number)
            beside = _phase(server, texts, share * limit, seconds, np.random.default_rng([11, number]))
            rows.append({"alone": alone, "beside": beside, "variants": _finish(server, job) - before})
    figures = {
        name: _spread([row["beside"][name] / row["alone"][name] for row in rows]) for name in ("p50", "p99", "good")
    }
    probed = {name: _spread([row["variants"] / by for row in rows]) for name, by in (("phase", 1), ("second", seconds))}
    said = {"share": share, "seconds": seconds, "priority": priority, "wanted": TEXTS * DRAWS}
    write_text(out, json.dumps({**said, "rounds": rows, "ratios": figures, "variants": probed}, indent=1) + "\n")
    title = f"{share:g} of the limit, {rounds} pairs, prober {priority}"
    table = Table("", "with a battery against without", "range", title=title)
    for name, (middle, low, high) in figures.items():
        table.add_row(name, f"{middle:.3f}", f"{low:.3f} to {high:.3f}")
    for name, (middle, low, high) in probed.items():
        table.add_row(f"variants a {name}", f"{middle:.0f}", f"{low:.0f} to {high:.0f}")
    Console().print(table)


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
    answered = asyncio.run(offer(HOST, server.port, requests, poisson(rate, seconds, rng), patience_s=5))
    times = np.array([one.latency for one in answered if one.status == 200])
    return {
        "p50": float(np.quantile(times, 0.5)),
        "p99": float(np.quantile(times, 0.99)),
        "good": len(times) / len(answered),
    }


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
