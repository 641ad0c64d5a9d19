"""The comparison as tables, plots and JSON; rates as shares of the raw limit, never as absolute times."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.serving.measure import Plan
from benchmarks.serving.systems import OURS
from probes.files import write_text

KEPT = 0.99
"""Share of all requests that must be answered within the objective for a rate to count as kept."""
OVERLOAD = 1.5


def report(found: Mapping[str, Any], plan: Plan, model: Path) -> dict[str, Any]:
    """Medians over the rounds, with the lowest and highest."""
    names = list(dict.fromkeys(name for row in found["rounds"] for name in row["systems"]))
    return {
        "model": model.name,
        "objective_ms": plan.objective_ms,
        "seconds": plan.seconds,
        "rounds": len(found["rounds"]),
        "failed": {name: why for name, why in found["failed"].items() if name not in names},
        "systems": {
            name: _system([row["systems"][name] for row in found["rounds"] if name in row["systems"]]) for name in names
        },
        "raw": found["rounds"],
    }


def _system(rounds: list[Mapping[str, Any]]) -> dict[str, Any]:
    points = [[dict(point) for point in one["points"]] for one in rounds]
    return {
        "rounds": len(rounds),
        "agreement": min(one["agreement"] for one in rounds),
        "kept": _spread([max((p["share"] for p in some if p["good"] >= KEPT), default=0.0) for some in points]),
        "saturated": _spread([one["saturated"] for one in rounds]),
        "overload": {
            key: _spread([p[key] for some in points for p in some if p["share"] == OVERLOAD and p[key] is not None])
            for key in ("good", "refused", "kept")
        },
        "curve": [
            {
                "share": at[0]["share"],
                "good": _spread([p["good"] for p in at]),
                "cpu_ms": _spread([p["cpu_ms"] for p in at]),
            }
            | {"p99": _spread([p["p99"] for p in at if p["p99"] is not None])}
            for at in map(list, zip(*points, strict=True))
        ],
    }


def _spread(values: list[float]) -> list[float] | None:
    """Median, lowest, highest."""
    return [median(values), min(values), max(values)] if values else None


def write(made: Mapping[str, Any], out: Path) -> None:
    """serving.json, serving.md and goodput.svg."""
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "serving.json", json.dumps(made, indent=1, sort_keys=True) + "\n")
    write_text(out / "serving.md", markdown(made))
    _plot(made, out / "goodput.svg")


def markdown(made: Mapping[str, Any]) -> str:
    """The table; a range is the lowest and highest round."""
    ours = made["systems"].get(OURS)
    lines = [
        "| server | largest rate kept | at saturation | in time at 1.5 x | refused there | of answers in time | CPU |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    base = _cpu(ours) if ours else None
    for name, one in made["systems"].items():
        over = one["overload"]
        cpu = _cpu(one)
        cells = [name, _said(one["kept"]), _said(one["saturated"]), _said(over["good"]), _said(over["refused"])]
        cells += [_said(over["kept"]), f"{cpu / base:.2f}" if base and cpu else ""]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        f"| {name} | not measured: {why.splitlines()[0][:120]} | | | | | |" for name, why in made["failed"].items()
    ]
    return "\n".join(lines) + "\n"


def _cpu(one: Mapping[str, Any]) -> float | None:
    """Processor time of a request at the lowest rate, median."""
    spread = one["curve"][0]["cpu_ms"]
    return spread[0] if spread else None


def _said(spread: list[float] | None) -> str:
    return "" if spread is None else f"{spread[0]:.2f} ({spread[1]:.2f} to {spread[2]:.2f})"


def _plot(made: Mapping[str, Any], path: Path) -> None:
    """Goodput over offered rate, both as shares of the raw limit."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.2))
    for name, one in made["systems"].items():
        shares = [point["share"] for point in one["curve"]]
        goodput = [point["share"] * point["good"][0] for point in one["curve"]]
        axes.plot(shares, goodput, marker="o", linewidth=2.5 if name == OURS else 1.2, label=name)
    axes.plot([0, 1, 1.5], [0, 1, 1], color="0.7", linestyle="--", linewidth=1, label="the graph alone")
    axes.set_xlabel("offered, as a share of what the graph alone takes")
    axes.set_ylabel(f"answered within {made['objective_ms']} ms, same unit")
    axes.legend(fontsize=8, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
