"""What packing by padded area buys, against what people write first: one by one, and batches in order of arrival."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import TypedDict

import runtime
from probes.types import Item

ROUNDS = 7
ARRIVAL_BATCH = 32
Way = Callable[[Sequence[Item]], object]


class Ratio(TypedDict):
    """Texts per second of one way over those of packing: median, lowest and highest of the rounds."""

    way: str
    ratio: float
    low: float
    high: float


def _seconds(way: Way, items: Sequence[Item]) -> float:
    start = time.perf_counter()
    way(items)
    return time.perf_counter() - start


def measure(folder: Path, items: Sequence[Item]) -> list[Ratio]:
    """Every way over all the items, in turn, ROUNDS times after one round to warm up."""
    model = runtime.load(folder)
    ways: dict[str, Way] = {
        "packed by padded area": model,
        f"batches of {ARRIVAL_BATCH} in order of arrival": lambda items: [
            model(items[i : i + ARRIVAL_BATCH]) for i in range(0, len(items), ARRIVAL_BATCH)
        ],
        "one by one": lambda items: [model([item]) for item in items],
    }
    rounds = [{name: _seconds(way, items) for name, way in ways.items()} for _ in range(ROUNDS + 1)][1:]
    packed = next(iter(ways))
    ratios = {name: sorted(times[packed] / times[name] for times in rounds) for name in ways}
    return [Ratio(way=name, ratio=median(values), low=values[0], high=values[-1]) for name, values in ratios.items()]
