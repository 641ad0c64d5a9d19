"""The graph alone: texts on standard input, the most texts a second it takes and its labels on standard output."""

from __future__ import annotations

import json
import os
import sys
import time
from statistics import median

import numpy as np

import runtime
from probes.types import Item
from runtime.classifier import pack

ROUNDS = 2
BUDGETS = (512, 1024, 4096)
"""Padded tokens of one run; the best of them is the limit."""


def main() -> None:
    """Tokenise, sort and pack once; run all batches some times; the median of the best budget counts."""
    items = [Item(text) for text in json.load(sys.stdin)]
    model = runtime.load(os.environ["SERVED_MODEL"], threads=1)
    rows = model.tokenize(items)
    lengths = [len(row.ids) for row in rows]
    seconds: dict[int, list[float]] = {budget: [] for budget in BUDGETS}
    for _ in range(ROUNDS):
        for budget, taken in seconds.items():
            batches = [[rows[at] for at in batch] for batch in pack(lengths, budget)]
            begun = time.perf_counter()
            for batch in batches:
                model.run(batch)
            taken.append(time.perf_counter() - begun)
    fastest = min(map(median, seconds.values()))
    labels = [model.labels[at] for at in np.argmax(model(items), axis=1)]
    json.dump({"texts_per_second": len(items) / fastest, "labels": labels}, sys.stdout)
