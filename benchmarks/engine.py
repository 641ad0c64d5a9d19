"""The serving engine at saturation beside the raw session on the same texts, and the calls it makes for one text."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from types import FrameType
from typing import Any

import runtime
from benchmarks.packing import Ratio
from probes.types import Item
from runtime.classifier import OnnxClassifier, pack
from runtime.engine import Engine

ROUNDS = 5
RAW_AREA = 512
"""Padded tokens of a raw run: about what is fastest on a CPU."""
AT_ONCE = 256
"""Requests of one text each that are always under way."""


def measure(folder: Path, items: Sequence[Item], threads: int = 1) -> list[Ratio]:
    """Each way over all the items, in turn, ROUNDS times after one round to warm up."""
    classifier = runtime.load(folder, threads=threads)
    engine = Engine(classifier)
    engine.warm()
    ways: dict[str, Callable[[], object]] = {
        "raw session: tokenised, sorted, packed beforehand": _raw(classifier, items),
        f"engine, {AT_ONCE} requests of one text at once": lambda: asyncio.run(_crowd(engine, items)),
        "engine, one request of all texts": lambda: asyncio.run(engine.predict(items)),
        "engine as a classifier (LOW)": lambda: engine(items),
        "engine, requests one after another": lambda: asyncio.run(_queue(engine, items)),
    }
    try:
        rounds = [{name: _seconds(way) for name, way in ways.items()} for _ in range(ROUNDS + 1)][1:]
    finally:
        engine.close()
        classifier.close()
    raw = next(iter(ways))
    found = {name: sorted(times[raw] / times[name] for times in rounds) for name in ways}
    return [Ratio(way=name, ratio=median(values), low=values[0], high=values[-1]) for name, values in found.items()]


def calls(folder: Path, item: Item) -> Counter[str]:
    """Python and built-in calls of one `predict` of one text, in all threads, by name; the mean of a hundred."""
    counted: Counter[str] = Counter()
    counting = False

    def count(frame: FrameType, event: str, about: Any) -> None:
        if counting and event in ("call", "c_call"):
            counted[frame.f_code.co_qualname if event == "call" else about.__qualname__] += 1

    async def ask() -> None:
        nonlocal counting
        for number in range(120):
            if number == 20:
                counting = True
            await engine.predict([item])
        counting = False

    threading.setprofile(count)
    engine = Engine(runtime.load(folder, threads=1))
    sys.setprofile(count)
    try:
        asyncio.run(ask())
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        engine.close()
        engine.classifier.close()
    return Counter({name: round(number / 100) for name, number in counted.items() if number >= 50})


def _seconds(way: Callable[[], object]) -> float:
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


def _raw(classifier: OnnxClassifier, items: Sequence[Item]) -> Callable[[], object]:
    rows = classifier.tokenize(items)
    batches = [[rows[index] for index in batch] for batch in pack([len(row.ids) for row in rows], RAW_AREA)]
    return lambda: [classifier.run(batch) for batch in batches]


async def _crowd(engine: Engine, items: Sequence[Item]) -> None:
    left = iter(items)

    async def client() -> None:
        for item in left:
            await engine.predict([item])

    await asyncio.gather(*(client() for _ in range(AT_ONCE)))


async def _queue(engine: Engine, items: Sequence[Item]) -> None:
    for item in items:
        await engine.predict([item])


if __name__ == "__main__":
    root = Path(__file__).resolve().parent.parent
    for name, number in calls(root / "models" / "topics", Item("The match ended in a draw.")).most_common():
        print(f"{number:4} {name}")
