"""What a masked language model would say in a word's place: the perturbation `training.masked:FOLDER`.

The candidates of BAE-R (Garg and Ramakrishnan 2020) and BERT-Attack (Li et al. 2020), in every language the model of
FOLDER knows; with `attack = "synonym"` their search. Theirs mask anew after every replacement, here a word is masked in
the text as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import torch
from torch import Tensor
from transformers import AutoModelForMaskedLM

from probes.languages import Language
from probes.text import Span, words
from probes.types import Edit
from training.pieces import LOOKED_AT, Pieces
from training.plugged import opening

BATCH = 16
"""Masked copies of a text in one pass."""

LONGEST = 512
"""Tokens of a text where the folder does not say."""


class Masked:
    """A word is replaced by one that a masked language model expects in its place."""

    unit = "word"

    def __init__(self, folder: str) -> None:
        self._pieces = Pieces(folder)
        found, said = AutoModelForMaskedLM.from_pretrained(folder, output_loading_info=True)
        if said["missing_keys"]:
            raise ValueError(
                f"{folder} is no masked language model: it has no {', '.join(sorted(said['missing_keys']))}"
            )
        if self._pieces.tokenizer.mask_token is None:
            raise ValueError(f"the tokenizer of {folder} has no mask token")
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = found.eval().to(self._device)
        self._ranked = lru_cache(maxsize=256)(self._rank)

    def __call__(self, text: str, language: Language) -> Iterator[Edit]:
        """The edits of every word, in the order of the text."""
        spans = tuple(words(text, language))
        for span, ranked in zip(spans, self._ranked(text, spans), strict=True):
            yield from self._pieces.edits(text, span, ranked, language)

    def _rank(self, text: str, spans: tuple[Span, ...]) -> list[list[int]]:
        """The likeliest pieces in place of each word, best first; none where the text is too long for it."""
        mask = self._pieces.tokenizer.mask_token
        copies = [text[:start] + mask + text[end:] for start, end in spans]
        found: list[list[int]] = []
        for first in range(0, len(copies), BATCH):
            found += self._likeliest(copies[first : first + BATCH])
        return found

    @torch.inference_mode()
    def _likeliest(self, copies: list[str]) -> list[list[int]]:
        tokenizer = self._pieces.tokenizer
        most = min(tokenizer.model_max_length, LONGEST)
        batch = tokenizer(copies, padding=True, truncation=True, max_length=most, return_tensors="pt").to(self._device)
        masked = batch["input_ids"] == tokenizer.mask_token_id
        places: Tensor = masked.int().argmax(dim=1)
        logits = self._model(**batch).logits[torch.arange(len(copies)), places]
        ranked = logits.topk(min(LOOKED_AT, logits.shape[1])).indices.tolist()
        return [row if there else [] for row, there in zip(ranked, masked.any(dim=1).tolist(), strict=True)]


__getattr__ = opening(Masked, "an encoder")
