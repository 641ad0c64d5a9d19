"""The comparison as tables, plots and JSON; rates as shares of the raw limit, never as absolute times."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.serving.measure import Plan
from benchmarks.serving.rounds import limit
from benchmarks.serving.systems import OURS
from probes.files import write_text

KEPT = 0.99
"""Share of all requests that must be answered within the objective for a rate to count as kept."""
OVERLOAD = 1.5
COLUMNS = (
    "server", "rounds", "largest rate kept", "at saturation", "in time at 1.5 x", "refused there", "told so within, ms",
    "dropped of admitted", "of answers in time", "CPU",
)  # fmt: skip


def report(found: Sequence[Mapping[str, Any]], missing: Mapping[str, str], plan: Plan, model: Path) -> dict[str, Any]:
    """Medians over the rounds, with the lowest and highest; `failed` has whoever failed in any, the latest reason."""
    names = list(dict.fromkeys(name for row in found for name in row["systems"]))
    return {
        "model": model.name,
        "objective_ms": plan.objective_ms,
        "seconds": plan.seconds,
        "rounds": len(found),
        "failed": dict(missing) | {name: why for row in found for name, why in row["failed"].items()},
        "systems": {name: _system([row["systems"][name] for row in found if name in row["systems"]]) for name in names},
        "raw": list(found),
    }


def _system(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Rates as shares of the limit before and after, where the points' own are shares of that before."""
    points = [[{**p, "rate": p["offered"] / limit(one)} for p in one["points"]] for one in rounds]
    return {
        "rounds": len(rounds),
        "agreement": min(one["agreement"] for one in rounds),
        "drift": _spread([one["limits"][1] / one["limits"][0] for one in rounds]),
        "kept": _spread([max((p["rate"] for p in some if p["good"] >= KEPT), default=0.0) for some in points]),
        "saturated": _spread([one["answers_per_second"] / limit(one) for one in rounds]),
        "failed": _spread([one["failed"] for one in rounds]),
        "overload": {
            key: _spread([p[key] for some in points for p in some if p["share"] == OVERLOAD and p[key] is not None])
            for key in ("good", "refused", "refused_p99", "dropped", "kept")
        },
        "curve": [
            {key: _spread([p[key] for p in at]) for key in ("rate", "good", "cpu_ms")}
            | {"share": at[0]["share"], "goodput": _spread([p["rate"] * p["good"] for p in at])}
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
        f"| {' | '.join(COLUMNS)} |",
        f"| {' | '.join('---' for _ in COLUMNS)} |",
    ]
    base = _cpu(ours) if ours else None
    for name, one in made["systems"].items():
        over = one["overload"]
        cpu = _cpu(one)
        cells = [name, f"{one['rounds']}/{made['rounds']}", _said(one["kept"]), _said(one["saturated"])]
        cells += [_said(over["good"]), _said(over["refused"]), _said(over["refused_p99"], 0), _said(over["dropped"], 3)]
        cells += [_said(over["kept"]), f"{cpu / base:.2f}" if base and cpu else ""]
        lines.append(f"| {' | '.join(cells)} |")
    for name, why in made["failed"].items():
        rounds = made["systems"].get(name, {"rounds": 0})["rounds"]
        lines.append(f"\n{name}, not measured in {made['rounds'] - rounds} of {made['rounds']}: {_first(why)}")
    return "\n".join(lines) + "\n"


def _first(why: str) -> str:
    """The first line of a reason, or what there is of it."""
    return why.partition("\n")[0][:200]


def _cpu(one: Mapping[str, Any]) -> float | None:
    """Processor time of a request at the lowest rate, median."""
    spread = one["curve"][0]["cpu_ms"]
    return spread[0] if spread else None


def _said(spread: list[float] | None, digits: int = 2) -> str:
    return "" if spread is None else "{:.{}f} ({:.{}f} to {:.{}f})".format(*(x for v in spread for x in (v, digits)))


def _plot(made: Mapping[str, Any], path: Path) -> None:
    """Goodput over offered rate, both as shares of the raw limit."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.2))
    for name, one in made["systems"].items():
        rates, goodput = ([point[key][0] for point in one["curve"]] for key in ("rate", "goodput"))
        axes.plot(rates, goodput, marker="o", linewidth=2.5 if name == OURS else 1.2, label=name)
    axes.plot([0, 1, 1.5], [0, 1, 1], color="0.7", linestyle="--", linewidth=1, label="the graph alone")
    axes.set_xlabel("offered, as a share of what the graph alone takes")
    axes.set_ylabel(f"answered within {made['objective_ms']} ms, same unit")
    axes.legend(fontsize=8, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
