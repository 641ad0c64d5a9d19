"""What a robustness card of eight variants costs beside a plain /predict of the same texts, and what it is made of."""

from __future__ import annotations

import asyncio
import gc
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

import runtime
from benchmarks.packing import Ratio
from probes.detect import detect
from probes.types import Example, Item
from probes.variants import variants
from runtime.classifier import OnnxClassifier
from service.interface import Interface
from service.models import Models
from service.settings import Settings

ROUNDS = 7
VARIANTS = 8
SIZES = {1: 24, 8: 3, 32: 1}
"""Texts of one request, and requests of one round."""


def measure(folder: Path, examples: Sequence[Example]) -> list[Ratio]:
    """For each size seconds over those of plain requests: the card, its rows in the bare model, its drawing."""
    return asyncio.run(_measure(folder, examples))


async def _measure(folder: Path, examples: Sequence[Example]) -> list[Ratio]:
    detect("warm")
    classifier = runtime.load(folder)
    rows = []
    with tempfile.TemporaryDirectory() as state:
        models = Models.over(folder.name, classifier)
        models.get().warm()
        interface = Interface(replace(Settings(), state=Path(state)), models)
        ordered = cycle(sorted(examples, key=lambda example: example.id))
        for size, requests in SIZES.items():
            batches = [[next(ordered) for _ in range(size)] for _ in range(requests * (ROUNDS + 1))]
            rounds = [await _round(interface, classifier, batches[i :: ROUNDS + 1]) for i in range(ROUNDS + 1)][1:]
            rows += [_ratio(f"{way}, requests of {size}", [one[way] for one in rounds]) for way in rounds[0]]
        await asyncio.to_thread(interface.close)
        models.close()
    return rows


async def _round(
    interface: Interface, classifier: OnnxClassifier, batches: Sequence[Sequence[Example]]
) -> dict[str, float]:
    """Of one round, each way's seconds over those of plain requests."""
    seconds = dict.fromkeys(("plain", f"robustness={VARIANTS}", "its rows, bare model", "drawing"), 0.0)
    gc.collect()
    for batch in batches:
        body = json.dumps({"inputs": [example.item.text for example in batch]}).encode()
        begun = time.perf_counter()
        await _post(interface, b"", body)
        plain = time.perf_counter()
        await _post(interface, b"robustness=%d" % VARIANTS, body)
        card = time.perf_counter()
        drawn = [_drawn(example.item) for example in batch]
        drawing = time.perf_counter()
        classifier.predict([item for items in drawn for item in items])
        done = time.perf_counter()
        for way, spent in zip(seconds, (plain - begun, card - plain, done - drawing, drawing - card), strict=True):
            seconds[way] += spent
    return {way: spent / seconds["plain"] for way, spent in seconds.items()}


def _drawn(item: Item) -> list[Item]:
    return [item, *(variant.item for variant in variants(item, detect(item.text)[0], VARIANTS, 1, 512))]


async def _post(interface: Interface, query: bytes, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    scope = {"type": "http", "method": "POST", "path": "/predict", "query_string": query, "headers": headers}
    statuses, sent = [], asyncio.Event()

    async def receive() -> dict[str, Any]:
        if sent.is_set():
            await asyncio.Event().wait()  # the client stays
        sent.set()
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        statuses.append(message.get("status"))

    await interface({**scope, "http_version": "1.1", "scheme": "http", "client": None}, receive, send)
    assert statuses[0] == 200, statuses


def _ratio(way: str, found: Sequence[float]) -> Ratio:
    return Ratio(way=way, ratio=median(found), low=min(found), high=max(found))
