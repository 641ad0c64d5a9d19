"""A classifier behind an address: the text-classification API of Hugging Face, spoken with patience."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import numpy as np

from probes.types import Item, Probabilities
from runtime.client import Client, Patience, RemoteError, WrongAnswer

__all__ = ["HttpClassifier", "RemoteError"]

CHUNK = 32
CONCURRENT = 4
"""Requests under way for one call."""


class HttpClassifier:
    """POST {url}/predict for probabilities; labels from GET {url}/about, else from a first answer. Safe in threads.

    timeout and patience (the first wait between two tries, doubled each time) are in seconds. Raises RemoteError.
    """

    concurrent = True
    """Whether several threads may ask at once."""

    def __init__(self, url: str, *, timeout: float = 60.0, patience: float = 0.5) -> None:
        self._client = Client(url, timeout=timeout, patience=Patience(first=patience))
        self.url = self._client.url

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Label names, in the order of the columns of the answer."""
        said = self._about.get("model", self._about)
        labels = said.get("labels") if isinstance(said, dict) else None
        if labels is None:
            labels = sorted(self._scores([Item("?")])[0])
        return tuple(map(str, labels))

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """What the service says of its model, for a report's provenance."""
        said = self._about.get("model")
        return {"url": self.url} | ({"model": said} if said else {})

    @cached_property
    def digest(self) -> str | None:
        """What names the model behind the address, where the service says it."""
        said = self._about.get("model")
        found = said.get("sha256") if isinstance(said, dict) else None
        return None if found is None else str(found)

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        """Probabilities of shape (len(items), len(labels)), asked in chunks of 32, a few at a time."""
        chunks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
        if len(chunks) < 2:
            found = [self._scores(chunk) for chunk in chunks]
        else:
            with ThreadPoolExecutor(min(CONCURRENT, len(chunks))) as pool:
                found = list(pool.map(self._scores, chunks))
        answers = np.zeros((len(items), len(self.labels)), dtype=np.float32)
        for row, scores in enumerate(scores for chunk in found for scores in chunk):
            if scores.keys() != set(self.labels):
                raise WrongAnswer(f"{self.url}/predict answered the labels {sorted(scores)}, not {self.labels}")
            answers[row] = [scores[label] for label in self.labels]
        return answers

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @cached_property
    def _about(self) -> dict[str, Any]:
        return self._client.about()

    def _scores(self, items: Sequence[Item]) -> list[dict[str, float]]:
        return [{one.label: one.score for one in found.scores} for found in self._client.predict(items)]
