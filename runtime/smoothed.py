"""A model folder under noise: the graph in two halves, with Gaussian noise on the word embeddings between them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.certificates.smoothing import Sampler
from probes.types import Item
from runtime.manifest import TOKENIZER, Manifest, ModelFolderError, Smoothing, verify
from runtime.session import open_session
from runtime.tokenization import Tokenization

_BATCH = 64
"""Noisy copies in one run."""


class SmoothedClassifier:
    """A verified model folder with the graphs for noisy passes, for `probes.certificates.smoothing` to vote with."""

    def __init__(
        self, folder: str | Path, *, providers: Sequence[str] | None = None, threads: int | None = None
    ) -> None:
        folder = Path(folder)
        self.manifest: Manifest = verify(folder)
        if self.manifest.smoothing is None:
            raise ModelFolderError(
                f"{folder} has no graphs for noisy passes; train it with smoothing = SIGMA in its recipe"
            )
        self.smoothing: Smoothing = self.manifest.smoothing
        self.labels: tuple[str, ...] = self.manifest.labels
        self._tokenize = Tokenization(folder / TOKENIZER, self.manifest.max_length)
        self._embed = open_session(folder / self.smoothing.embeddings, providers, threads)
        self._body = open_session(folder / self.smoothing.body, providers, threads)

    def sampler(self, item: Item, sigma: float | None = None) -> Sampler:
        """Labels of noisy copies of the item; sigma is what the manifest says unless another is named."""
        size = self.smoothing.sigma if sigma is None else sigma
        (row,) = self._tokenize([item])
        ids = np.array([row.ids], dtype=np.int64)
        types = np.zeros_like(ids)
        types[0, : len(row.types)] = row.types
        (vectors,) = self._embed.run(None, {"input_ids": ids})
        content = ~np.isin(ids, self.smoothing.special_ids)[..., None]

        def sample(draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
            labels = []
            for start in range(0, draws, _BATCH):
                count = min(_BATCH, draws - start)
                noise = rng.standard_normal((count, *vectors.shape[1:]), dtype=np.float32)
                labels.append(self._labels(vectors + size * noise * content, ids, types))
            return np.concatenate(labels)

        return sample

    def _labels(
        self, vectors: NDArray[np.float32], ids: NDArray[np.int64], types: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        shape = vectors.shape[:2]
        feeds: dict[str, Any] = {
            "inputs_embeds": vectors,
            "input_ids": np.broadcast_to(ids, shape),
            "attention_mask": np.ones(shape, dtype=np.int64),
            "token_type_ids": np.broadcast_to(types, shape),
        }
        wanted = {node.name for node in self._body.get_inputs()}
        (logits,) = self._body.run(["logits"], {name: value for name, value in feeds.items() if name in wanted})
        answer: NDArray[np.int64] = np.asarray(logits).argmax(axis=1)
        return answer
