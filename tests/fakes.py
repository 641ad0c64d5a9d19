"""Fakes the project owns: small classifiers whose every answer can be worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from probes.types import Item, Probabilities


class KeywordClassifier:
    """Counts keywords of each label; a tie (or no keyword) goes to the first label."""

    def __init__(self, keywords: Mapping[str, Sequence[str]], sharpness: float = 2.0) -> None:
        self.labels = tuple(keywords)
        self._keywords = [tuple(words) for words in keywords.values()]
        self._sharpness = sharpness
        self.calls = 0
        self.seen: list[Item] = []

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        self.calls += 1
        self.seen.extend(items)
        counts = np.array(
            [
                [sum((item.text + " " + (item.pair or "")).count(word) for word in words) for words in self._keywords]
                for item in items
            ],
            dtype=np.float32,
        ).reshape(len(items), len(self.labels))
        weights = np.exp(self._sharpness * counts)
        return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
