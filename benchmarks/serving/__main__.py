"""`make bench-serving`: every server in turn at every rate, round after round; tables, plots and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

from benchmarks.serving import measure, render
from benchmarks.serving.process import ServerError
from benchmarks.serving.systems import ROOT, System, systems
from benchmarks.serving.trace import texts as drawn

SEED = 7
TEXTS = 2000
CHECKED = 50


def main(
    model: Annotated[Path, typer.Option(help="Model folder.")] = ROOT / "models" / "topics",
    only: Annotated[list[str] | None, typer.Option(help="Systems to measure, by name.")] = None,
    rounds: Annotated[int, typer.Option(help="Times everything is measured.", min=1)] = 3,
    seconds: Annotated[float, typer.Option(help="Seconds at each rate.", min=1)] = 8.0,
    objective_ms: Annotated[int, typer.Option(help="What 99 of 100 answers must keep.", min=1)] = 100,
    out: Annotated[Path, typer.Option(help="Folder for the tables, plots and JSON.")] = ROOT / "reports" / "serving",
) -> None:
    """Measure serving beside the peers; one core serves, another one asks.

    Example: python -m benchmarks.serving --only babelproof --only FastAPI --rounds 1
    """
    console = Console()
    plan = measure.Plan(seconds=seconds, objective_ms=objective_ms)
    texts = drawn([ROOT / "examples" / "demo.jsonl", ROOT / "examples" / "sentences.jsonl"], model, TEXTS, _rng(0))
    known = systems(objective_ms)
    if unknown := [name for name in only or () if name not in known]:
        raise typer.BadParameter(f"no system {', '.join(unknown)}; there are {', '.join(known)}", param_hint="--only")
    wanted = [known[name] for name in only or known]
    missing = {one.name: "not installed; make bench-serving installs it" for one in wanted if not one.installed}
    turn = [one for one in wanted if one.installed]
    found: dict[str, Any] = {"rounds": [], "failed": missing}
    for number in range(rounds):
        limit, labels = measure.raw_limit(model.resolve(), texts)
        console.print(f"round {number + 1} of {rounds}: the graph alone takes {limit:.0f} texts a second")
        row: dict[str, Any] = {"raw": limit, "systems": {}}
        for system in turn[number % len(turn) :] + turn[: number % len(turn)]:
            try:
                row["systems"][system.name] = _one(
                    system, model.resolve(), texts, labels, limit, plan, _rng(number + 1)
                )
                console.print(f"  {system.name}: {row['systems'][system.name]['saturated']:.2f} of the limit")
            except ServerError as error:
                found["failed"][system.name] = str(error)
                console.print(f"  {system.name} failed: {error}")
        found["rounds"].append(row)
    report = render.report(found, plan, model)
    render.write(report, out)
    console.print(render.markdown(report))
    console.print(f"written to {out}")


def _one(
    system: System,
    model: Path,
    texts: list[str],
    labels: list[str],
    limit: float,
    plan: measure.Plan,
    rng: np.random.Generator,
) -> dict[str, Any]:
    with measure.started(system, model) as server:
        agreed = measure.agreement(server, texts[:CHECKED], labels[:CHECKED])
        full = measure.saturated(server, texts, plan.seconds)
        points = measure.ladder(server, texts, limit, plan, rng)
    return {"agreement": agreed, "points": measure.as_json(points), "saturated": full / limit}


def _rng(number: int) -> np.random.Generator:
    return np.random.default_rng([SEED, number])


if __name__ == "__main__":
    typer.run(main)
