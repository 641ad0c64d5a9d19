"""What an epoch trains on: rows a method prepared, encoded, in a seeded order of batches of like length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset
from transformers import DataCollatorWithPadding

from probes.types import Example
from training.objective import Objective
from training.passes import VIEW

Features = dict[str, Any]
_POOL = 50
"""Batches that are sorted by length together: enough to save padding, few enough to keep the order random."""


class Encoder:
    """Examples to model inputs with label numbers, truncated to the recipe's length as the served model does."""

    def __init__(self, tokenizer: Any, labels: Sequence[str], max_length: int) -> None:
        self._tokenizer = tokenizer
        self._numbers = {label: number for number, label in enumerate(labels)}
        self._max_length = max_length

    def __call__(self, examples: Sequence[Example]) -> list[Features]:
        """One dict of input_ids, attention_mask (token_type_ids) and labels per example, unpadded."""
        texts = [example.item.text for example in examples]
        pairs = [example.item.pair for example in examples]
        if None in pairs and any(pair is not None for pair in pairs):
            raise ValueError("single texts and pairs are mixed in one stage; use sources of one kind")
        inputs = self._tokenizer(
            texts, None if None in pairs else pairs, truncation="longest_first", max_length=self._max_length
        )
        return [
            {**{name: column[row] for name, column in inputs.items()}, "labels": self._numbers[str(example.label)]}
            for row, example in enumerate(examples)
        ]


def drawn(
    objective: Objective, examples: Sequence[Example], encode: Encoder, rng: np.random.Generator
) -> list[Features]:
    """The rows that methods make of the examples, encoded, with their second versions where there are any."""
    prepared, views = objective.rows(examples, rng)
    rows = encode(prepared)
    for row, view in zip(rows, encode(views) if views else (), strict=bool(views)):
        row |= {VIEW + name: value for name, value in view.items() if name != "labels"}
    return rows


class EpochData(Dataset[Features]):
    """The rows of one epoch in their order, a function of seed and epoch alone: a resumed run sees the same."""

    def __init__(
        self, examples: Sequence[Example], objective: Objective, encode: Encoder, *, batch: int, seed: Sequence[int]
    ) -> None:
        self._examples, self._objective, self._encode = examples, objective, encode
        self._batch, self._seed = batch, list(seed)
        self._prepared_for = -1
        self._rows: list[Features] = []
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Draw the rows (once, or at every epoch for methods that say so) and their order."""
        draw = epoch if self._objective.fresh else 0
        if draw != self._prepared_for:
            rows = drawn(self._objective, self._examples, self._encode, np.random.default_rng([*self._seed, 0, draw]))
            if self._rows and len(rows) != len(self._rows):
                raise ValueError(f"the methods made {len(rows)} rows in epoch {epoch}, {len(self._rows)} before")
            self._rows, self._prepared_for = rows, draw
        lengths = np.array([len(row["input_ids"]) for row in self._rows])
        self._order = _order(lengths, self._batch, np.random.default_rng([*self._seed, 1, epoch]))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: int) -> Features:
        return self._rows[self._order[place]]


class Collator:
    """Rows to tensors: the texts padded to the longest, and so are their second versions where there are any."""

    def __init__(self, tokenizer: Any) -> None:
        self._pad = DataCollatorWithPadding(tokenizer, pad_to_multiple_of=8)

    def __call__(self, rows: Sequence[Features]) -> dict[str, Any]:
        """Model inputs of shape (rows, length), and labels of shape (rows,)."""
        own = [{name: value for name, value in row.items() if not name.startswith(VIEW)} for row in rows]
        views = [{name.removeprefix(VIEW): row[name] for name in row if name.startswith(VIEW)} for row in rows]
        padded = dict(self._pad(own))
        if any(views):
            padded |= {VIEW + name: value for name, value in self._pad(views).items()}
        return padded


def _order(lengths: NDArray[np.int64], batch: int, rng: np.random.Generator) -> list[int]:
    """A random order in which the rows of a batch are of like length; the short last batch stays last."""
    shuffled = rng.permutation(len(lengths))
    pools = [shuffled[start : start + _POOL * batch] for start in range(0, len(lengths), _POOL * batch)]
    batches = [
        pool[start : start + batch]
        for pool in (pool[np.argsort(lengths[pool], kind="stable")] for pool in pools)
        for start in range(0, len(pool), batch)
    ]
    full = [rows for rows in batches if len(rows) == batch]
    rest = [rows for rows in batches if len(rows) < batch]
    return [int(row) for rows in [*(full[place] for place in rng.permutation(len(full))), *rest] for row in rows]
