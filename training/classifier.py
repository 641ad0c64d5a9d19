"""A trained torch model as a classifier, clean or with noise on its word embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoTokenizer

from probes.certificates.smoothing import Sampler
from probes.types import Item, Probabilities
from runtime.classifier import pack
from training import head
from training.passes import hooked
from training.precision import Precision, bf16_works

LONGEST = 512
"""Tokens of a text where the folder does not say."""
BATCH_TOKENS = {"cuda": 16384, "cpu": 2048}
"""Padded tokens of one pass; on a CPU a small pass stays in its caches."""


class TorchClassifier:
    """A folder that `head.build` made and training saved, on the accelerator where there is one."""

    def __init__(self, folder: str | Path, max_length: int | None = None, precision: Precision = "fp32") -> None:
        self._bf16 = bf16_works(precision)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = head.load(folder).eval().to(self._device)
        self._tokenizer = AutoTokenizer.from_pretrained(str(folder))
        self._max_length = max_length or min(self._tokenizer.model_max_length, LONGEST)
        names = self._model.config.id2label
        self.labels: tuple[str, ...] = tuple(names[number] for number in range(len(names)))
        self._special = torch.tensor(head.special_ids(self._tokenizer))

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        """Probabilities of shape (n, k); texts over the length are truncated."""
        return self._probabilities([self._encode(item) for item in items], None)

    def noisy(self, items: Sequence[Item], radius: float, draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Labels under Gaussian noise on every token's embedding, shape (draws, n).

        The noise of a text has about `radius` times the norm of its mean token: its standard deviation is
        radius x mean norm / root of the width.
        """
        rows = [self._encode(item) for item in items]
        sigmas = [radius * self._token_norm(row) / self._width**0.5 for row in rows]
        return np.stack([self._probabilities(rows, (sigmas, rng)).argmax(axis=1) for _ in range(draws)])

    def sampler(self, item: Item, sigma: float) -> Sampler:
        """Predicted labels of copies of the item with noise of standard deviation sigma on every coordinate."""
        row = self._encode(item)

        def sample(draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
            return self._probabilities([row] * draws, ([sigma] * draws, rng)).argmax(axis=1)

        return sample

    @property
    def _width(self) -> int:
        return int(self._model.get_input_embeddings().weight.shape[1])

    def _encode(self, item: Item) -> dict[str, list[int]]:
        return dict(self._tokenizer(item.text, item.pair, truncation="longest_first", max_length=self._max_length))

    def _content(self, ids: Tensor, mask: Tensor) -> Tensor:
        return (mask.bool() & ~torch.isin(ids, self._special.to(ids.device)))[..., None].float()

    def _token_norm(self, row: dict[str, list[int]]) -> float:
        ids = torch.tensor([row["input_ids"]], device=self._device)
        with torch.inference_mode():
            norms = self._model.get_input_embeddings()(ids).norm(dim=2, keepdim=True)
        content = self._content(ids, torch.ones_like(ids))
        return float((norms * content).sum() / content.sum().clamp(min=1))

    def _probabilities(
        self, rows: Sequence[dict[str, list[int]]], noise: tuple[Sequence[float], np.random.Generator] | None
    ) -> Probabilities:
        answers = np.zeros((len(rows), len(self.labels)), np.float32)
        for places in pack([len(row["input_ids"]) for row in rows], BATCH_TOKENS[self._device.type]):
            batch = self._tokenizer.pad([rows[place] for place in places], return_tensors="pt").to(self._device)
            with torch.inference_mode(), torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16):
                if noise is None:
                    logits = self._model(**batch).logits
                else:
                    sizes = torch.tensor([noise[0][place] for place in places], device=self._device)[:, None, None]
                    logits = self._shaken(dict(batch), sizes, noise[1])
            answers[places] = torch.softmax(logits.float(), dim=-1).cpu().numpy()
        return answers

    def _shaken(self, batch: dict[str, Tensor], sizes: Tensor, rng: np.random.Generator) -> Tensor:
        """Logits with noise of the given size on each row's content tokens."""
        ids, mask = batch["input_ids"], batch["attention_mask"]
        drawn = rng.standard_normal((*ids.shape, self._width), dtype=np.float32)
        delta = torch.from_numpy(drawn).to(self._device) * sizes * self._content(ids, mask)
        with hooked(self._model.get_input_embeddings(), lambda output: output + delta):
            logits: Tensor = self._model(**batch).logits
        return logits
