"""Gradient-guided edits: the attack `training.hotflip:FOLDER`, whose model in FOLDER says which edits hurt the most.

HotFlip (Ebrahimi et al. 2018) exchanges letters by the first-order change of the loss, (e' - e) . gradient. Here an
edit exchanges pieces: each old vector goes and the new one comes with the gradient at its place, further new ones with
the mean gradient of those places. FOLDER is what training saved: the model that is probed, or one like it. A gradient
counts as one query of the budget, every edit that is tried as another.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

import numpy as np
import torch
from numpy.typing import NDArray

from probes.searching.search import CHUNK, edited, extensions, strongest, untouched
from probes.types import Accept, Attempt, Edit, Item, Oracle
from training.classifier import TorchClassifier
from training.passes import hooked
from training.plugged import opening


class Sloped(TorchClassifier):
    """A torch classifier that also says what a small change of a text should do to its loss."""

    def gains(self, item: Item, label: int, others: Sequence[Item]) -> NDArray[np.float32]:
        """First-order estimate of how much the loss at the label grows if another item takes the place, shape (n,)."""
        old = self._encode(item)["input_ids"]
        slope, table = self._gradient(item, label), self._model.get_input_embeddings().weight.detach()
        found = np.zeros(len(others), np.float32)
        for number, other in enumerate(others):
            new = self._encode(other)["input_ids"]
            start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
            rest = zip(old[start:][::-1], new[start:][::-1], strict=False)
            tail = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], rest))
            gone, come = old[start : len(old) - tail], new[start : len(new) - tail]
            places = slope[start : start + len(gone)] if gone else slope[max(0, start - 1) : start + 1]
            mean = places.mean(dim=0).expand(max(0, len(come) - len(gone)), -1)
            before = (table[gone] * places[: len(gone)]).sum()
            after = (table[come] * torch.cat([places[: min(len(gone), len(come))], mean])).sum()
            found[number] = float(after - before)
        return found

    def _gradient(self, item: Item, label: int) -> torch.Tensor:
        """Of the loss at the label by the vectors of the item's pieces, shape (pieces, width)."""
        batch = self._tokenizer.pad([self._encode(item)], return_tensors="pt").to(self._device)
        delta = torch.zeros((*batch["input_ids"].shape, self._width), device=self._device, requires_grad=True)
        with hooked(self._model.get_input_embeddings(), lambda output: output + delta):
            loss = -torch.log_softmax(self._model(**batch).logits.float(), dim=-1)[0, label]
        [gradient] = torch.autograd.grad(loss, delta)
        return gradient[0]


class HotFlip:
    """In every round try the 16 edits that should hurt most by the gradient, and keep the one that hurts most."""

    def __init__(self, folder: str) -> None:
        self._model = Sloped(folder)

    def __call__(
        self, item: Item, label: int, edits: Sequence[Edit], oracle: Oracle, accept: Accept, rng: np.random.Generator
    ) -> Attempt:
        """The attack; ValueError where the oracle has other labels, as under a goal that is not untargeted."""
        if tuple(oracle.labels) != self._model.labels:
            known, wanted = ", ".join(self._model.labels), ", ".join(oracle.labels)
            raise ValueError(f"hotflip: the gradients are of the labels {known}, the search is after {wanted}")
        best = untouched(item, label, oracle)
        while not best.fooled and (candidates := extensions(item, best.edits, edits, accept)):
            oracle.spend(1)
            gains = self._model.gains(edited(item, best.edits), label, [edited(item, one) for one in candidates])
            chosen = [candidates[number] for number in np.argsort(-gains, kind="stable")[:CHUNK]]
            trial = strongest(item, label, chosen, oracle)
            if trial is None or (trial.probability >= best.probability and not trial.fooled):
                break
            best = trial
        return Attempt(best.edits, best.fooled, oracle.queries)


__getattr__ = opening(HotFlip, "a torch classifier")
