"""A few timed runs of a classifier, from which an engine's cost model starts."""

from __future__ import annotations

import time
from statistics import median

from probes.types import Item
from runtime.classifier import OnnxClassifier
from runtime.tokenization import Row

ENOUGH_S = 1.0
_REPEATS = 3
_SHAPES = ((1, 16), (1, 64), (8, 32), (1, 512), (32, 16), (16, 64))
"""Rows x tokens, cut to what the model takes; from the cheapest, as far as the time goes."""


def calibrate(classifier: OnnxClassifier) -> list[tuple[int, int, float]]:
    """Runs (rows, longest, seconds): each shape once to warm up, then the median of three."""
    word = classifier.tokenize([Item("a")])[0].ids
    runs: list[tuple[int, int, float]] = []
    until = time.perf_counter() + ENOUGH_S
    for rows, length in _SHAPES:
        length = min(length, classifier.manifest.max_length)
        row = Row((word * length)[:length], [0] * length, False)
        seconds = [_seconds(classifier, [row] * rows) for _ in range(1 + _REPEATS)]
        runs.append((rows, length, median(seconds[1:])))
        if time.perf_counter() > until:
            break
    return runs


def _seconds(classifier: OnnxClassifier, rows: list[Row]) -> float:
    begun = time.perf_counter()
    classifier.run(rows)
    return time.perf_counter() - begun
