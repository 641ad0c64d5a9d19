"""A model folder as a classifier: items sorted by length, packed by padded area, answered in the order they came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.types import Item, Probabilities
from runtime.manifest import TOKENIZER, Manifest, ModelFolderError, verify
from runtime.session import open_session
from runtime.tokenization import Row, Tokenization

BATCH_TOKENS = 8192
"""Padded tokens (rows x longest) of one run: enough to fill the cores, small enough to stay in memory."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """Answers for n items and k labels: logits (n, k), probabilities (n, k), truncated (n,)."""

    logits: NDArray[np.float32]
    probabilities: Probabilities
    truncated: NDArray[np.bool_]


class OnnxClassifier:
    """A verified model folder, open; safe to call from several threads."""

    def __init__(
        self, folder: str | Path, *, providers: Sequence[str] | None = None, threads: int | None = None
    ) -> None:
        folder = Path(folder)
        self.manifest: Manifest = verify(folder)
        self.labels: tuple[str, ...] = self.manifest.labels
        self.languages: tuple[str, ...] = self.manifest.languages
        self._tokenize = Tokenization(folder / TOKENIZER, self.manifest.max_length)
        session = open_session(folder / self.manifest.onnx.file, providers, threads)
        self._inputs = _inputs(session, len(self.labels))
        self._session: Any = session

    @property
    def providers(self) -> tuple[str, ...]:
        """The execution providers that run the graph, most wanted first."""
        return tuple(self._open_session().get_providers())

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        """Probabilities of shape (n, k); texts over the model's length are truncated."""
        return self.predict(items).probabilities

    def predict(self, items: Sequence[Item], *, truncate: bool = True) -> Prediction:
        """Logits, probabilities and whether each item was cut; with truncate=False a long item raises TooLongError."""
        session = self._open_session()
        rows = self._tokenize(items, truncate=truncate)
        logits = np.zeros((len(rows), len(self.labels)), dtype=np.float32)
        for batch in pack([len(row.ids) for row in rows], BATCH_TOKENS):
            logits[batch] = self._run(session, [rows[index] for index in batch])
        return Prediction(logits, softmax(logits), np.array([row.truncated for row in rows], dtype=np.bool_))

    def close(self) -> None:
        """Let the session go once the calls under way are done; any later call raises."""
        self._session = None

    def _open_session(self) -> Any:
        if (session := self._session) is None:
            raise RuntimeError("this classifier is closed; load the folder again")
        return session

    def _run(self, session: Any, rows: Sequence[Row]) -> NDArray[np.float32]:
        shape = (len(rows), max([1, *(len(row.ids) for row in rows)]))
        feeds = {
            "input_ids": np.full(shape, self.manifest.onnx.pad_id, dtype=np.int64),
            "attention_mask": np.zeros(shape, dtype=np.int64),
            "token_type_ids": np.zeros(shape, dtype=np.int64),
        }
        for number, row in enumerate(rows):
            feeds["input_ids"][number, : len(row.ids)] = row.ids
            feeds["attention_mask"][number, : len(row.ids)] = 1
            feeds["token_type_ids"][number, : len(row.types)] = row.types
        (logits,) = session.run(
            ["logits"], {name: feeds[name].astype(kind, copy=False) for name, kind in self._inputs.items()}
        )
        return np.asarray(logits, dtype=np.float32)


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
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Probabilities = weights / weights.sum(axis=1, keepdims=True)
    return probabilities


def _inputs(session: Any, labels: int) -> dict[str, type[np.signedinteger[Any]]]:
    """The graph's inputs and their types, checked by name like its answer."""
    names = {node.name: np.int32 if node.type == "tensor(int32)" else np.int64 for node in session.get_inputs()}
    known = {"input_ids", "attention_mask", "token_type_ids"}
    if "input_ids" not in names or not known.issuperset(names):
        raise ModelFolderError(f"the ONNX graph takes {', '.join(names)}; it must take input_ids and may take {known}")
    outputs = [node.name for node in session.get_outputs()]
    if "logits" not in outputs:
        raise ModelFolderError(f"the ONNX graph answers {', '.join(outputs)}; it must answer logits")
    probe = {name: np.ones((1, 4), dtype=kind) for name, kind in names.items()}
    if (shape := session.run(["logits"], probe)[0].shape) != (1, labels):
        raise ModelFolderError(f"the ONNX graph answers shape {shape} for one text; the manifest names {labels} labels")
    return names
