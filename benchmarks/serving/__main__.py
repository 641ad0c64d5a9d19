"""`make bench-serving`: every server in turn at every rate, round after round; tables, plots and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

from benchmarks.serving import measure, render
from benchmarks.serving.rounds import Comparison
from benchmarks.serving.systems import ROOT, systems
from benchmarks.serving.trace import texts as drawn

SEED = 7
TEXTS = 600
CHECKED = 50
PATIENT_MS = 60_000
"""The objective at saturation, where everything is late."""


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
    console, folder = Console(), model.resolve()
    plan = measure.Plan(seconds=seconds, objective_ms=objective_ms)
    texts = drawn([ROOT / "examples" / "demo.jsonl", ROOT / "examples" / "sentences.jsonl"], model, TEXTS, _rng(0))
    known = systems(objective_ms)
    if unknown := [name for name in only or () if name not in known]:
        raise typer.BadParameter(f"no system {', '.join(unknown)}; there are {', '.join(known)}", param_hint="--only")
    wanted = list(dict.fromkeys(only or known))
    turn = [name for name in wanted if known[name].installed]
    found = []
    for number in range(rounds):
        one = partial(_measured, folder, plan, number + 1)
        compared = Comparison(texts, partial(measure.raw_limit, folder), one, console.print)
        console.print(f"round {number + 1} of {rounds}")
        first = number % max(1, len(turn))
        found.append({"systems": compared.round(turn[first:] + turn[:first]), "failed": compared.failed})
    missing = {name: "not installed; make bench-serving installs it" for name in wanted if name not in turn}
    report = render.report(found, missing, plan, model)
    render.write(report, out)
    console.print(render.markdown(report))
    console.print(f"written to {out}")


def _measured(
    model: Path,
    plan: measure.Plan,
    number: int,
    name: str,
    texts: Sequence[str],
    labels: Sequence[str],
    limit: float,
) -> dict[str, Any]:
    """One system in a round, started twice: for whoever is patient, and for the objective."""
    with measure.started(systems(PATIENT_MS)[name], model, limit) as server:
        agreed = measure.agreement(server, texts[:CHECKED], labels[:CHECKED])
        answers, failed = measure.saturated(server, texts, plan)
    with measure.started(systems(plan.objective_ms)[name], model, limit) as server:
        points = measure.ladder(server, texts, limit, plan, _rng(number))
    said = {"agreement": agreed, "answers_per_second": answers, "failed": failed}
    return said | {"points": measure.as_json(points)}


def _rng(number: int) -> np.random.Generator:
    return np.random.default_rng([SEED, number])


if __name__ == "__main__":
    typer.run(main)
