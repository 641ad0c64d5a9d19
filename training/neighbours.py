"""Nearest words in a model's own embedding space: the perturbation `training.neighbours:FOLDER`.

Words whose vectors in the word-embedding table of FOLDER point the same way (cosine). That is what it is: they are used
alike, which antonyms and the names of other places are too, and in an encoder of many languages most are translations.
A step's `keep_language` leaves those out that are noticed; for words of the same meaning use `synonym`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import torch
from transformers import AutoModel

from probes.languages import Language
from probes.text import words
from probes.types import Edit
from training.pieces import LOOKED_AT, Pieces
from training.plugged import opening


class Neighbours:
    """A word is replaced by one of the nearest in a model's own embedding space; only words that are one piece."""

    unit = "word"

    def __init__(self, folder: str) -> None:
        self._pieces = Pieces(folder)
        table = AutoModel.from_pretrained(folder).get_input_embeddings().weight.detach().float()
        self._table = torch.nn.functional.normalize(table, dim=1)
        self._nearest = lru_cache(maxsize=4096)(self._rank)

    def __call__(self, text: str, language: Language) -> Iterator[Edit]:
        """The edits of every word the vocabulary has whole, in the order of the text."""
        for span in words(text, language):
            if (number := self._pieces.id_of(text[slice(*span)])) is not None:
                yield from self._pieces.edits(text, span, self._nearest(number), language)

    def _rank(self, number: int) -> list[int]:
        nearness = self._table @ self._table[number]
        found: list[int] = nearness.topk(min(LOOKED_AT, len(nearness))).indices.tolist()
        return found


__getattr__ = opening(Neighbours, "an encoder")
