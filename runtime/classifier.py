"""A model folder as a classifier: items sorted by length, packed by padded area, answered in the order they came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from probes.types import Item, Probabilities
from runtime.backends import Backend, Choice, Ids, open_backend, shipped
from runtime.backends.onnx_runtime import OnnxRuntime
from runtime.manifest import TOKENIZER, Manifest, ModelFolderError, verify
from runtime.tokenization import Row, Tokenization

BATCH_TOKENS = 8192
"""Padded tokens (rows x longest) of one run: enough to fill the cores, small enough to stay in memory."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """Answers for n items and k labels: logits (n, k), probabilities (n, k), truncated (n,); an engine's, seconds."""

    logits: NDArray[np.float32]
    probabilities: Probabilities
    truncated: NDArray[np.bool_]
    queue_s: float = 0.0
    """Until the first row began."""
    compute_s: float = 0.0
    """From then to the end of the last row."""


class OnnxClassifier:
    """A verified model folder, open; safe to call from several threads."""

    def __init__(
        self,
        folder: str | Path,
        *,
        providers: Sequence[str] | None = None,
        threads: int | None = None,
        choice: Choice | None = None,
    ) -> None:
        """The folder's own graph on ONNX Runtime, on these providers, unless another graph or backend is chosen."""
        folder = Path(folder)
        self.manifest: Manifest = verify(folder)
        self.labels: tuple[str, ...] = self.manifest.labels
        self.languages: tuple[str, ...] = self.manifest.languages
        self.tokenize = Tokenization(folder / TOKENIZER, self.manifest.max_length)
        self.choice: Choice = choice or shipped(self.manifest)
        self._backend: Backend | None = (
            open_backend(folder, self.choice, threads)
            if providers is None
            else OnnxRuntime(folder / self.choice.graph.file, self.choice, threads, providers)
        )
        _try(self._backend, len(self.labels))

    @property
    def providers(self) -> tuple[str, ...]:
        """The execution providers that run the graph, most wanted first."""
        return self.backend.providers

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        """Probabilities of shape (n, k); texts over the model's length are truncated."""
        return self.predict(items).probabilities

    def predict(self, items: Sequence[Item], *, truncate: bool = True) -> Prediction:
        """Logits, probabilities and whether each item was cut; with truncate=False a long item raises TooLongError."""
        rows = self.tokenize(items, truncate=truncate)
        logits = np.zeros((len(rows), len(self.labels)), dtype=np.float32)
        for batch in pack([len(row.ids) for row in rows], BATCH_TOKENS):
            logits[batch] = self.run([rows[index] for index in batch])
        return Prediction(logits, softmax(logits), np.array([row.truncated for row in rows], dtype=np.bool_))

    def run(self, rows: Sequence[Row]) -> NDArray[np.float32]:
        """Logits (n, k) of rows of tokens, in one run of the graph."""
        return self.backend.run(*padded(rows, self.manifest.onnx.pad_id))

    def close(self) -> None:
        """Let the graph go once the calls under way are done; any later call raises."""
        self._backend = None

    @property
    def backend(self) -> Backend:
        """What runs the graph."""
        if (backend := self._backend) is None:
            raise RuntimeError("this classifier is closed; load the folder again")
        return backend


def padded(rows: Sequence[Row], pad_id: int) -> tuple[Ids, Ids, Ids]:
    """Token ids, attention mask and segment ids of rows, filled up to the longest; each of shape (n, length)."""
    shape = (len(rows), max([1, *(len(row.ids) for row in rows)]))
    ids = np.full(shape, pad_id, dtype=np.int64)
    mask, types = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for number, row in enumerate(rows):
        ids[number, : len(row.ids)] = row.ids
        mask[number, : len(row.ids)] = 1
        types[number, : len(row.types)] = row.types
    return ids, mask, types


def pack(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Indices in batches of similar length whose rows x longest stay within budget; a longer row goes alone."""
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batches and (len(batches[-1]) + 1) * lengths[index] <= budget:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def softmax(logits: NDArray[np.float32]) -> Probabilities:
    """Probabilities of logits (n, k), row by row."""
    # as max and sum, without the layers in Python between: this is on the way of every request
    weights: Probabilities = np.exp(logits - np.maximum.reduce(logits, axis=1, keepdims=True))
    total: Probabilities = np.add.reduce(weights, axis=1, keepdims=True)
    probabilities: Probabilities = weights / total
    return probabilities


def _try(backend: Backend, labels: int) -> None:
    """A first run, to see that the graph's answer is one logit for each label."""
    ids = np.ones((1, 4), dtype=np.int64)
    try:
        shape = backend.run(ids, ids, np.zeros_like(ids)).shape
    except Exception as error:  # every library has its own
        raise ModelFolderError(f"the ONNX graph cannot run on {backend.name} ({str(error).strip()})") from None
    if shape != (1, labels):
        raise ModelFolderError(f"the ONNX graph answers shape {shape} for one text; the manifest names {labels} labels")
