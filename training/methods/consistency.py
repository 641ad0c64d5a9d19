"""Consistency regularisation: predictions on a text and on a noisy version of it are pulled together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from probes import languages, noise, perturbations
from probes.types import Example, Item
from training.methods import registry
from training.methods.plain import Plain
from training.passes import Passes


@dataclass(frozen=True)
class Consistency(Plain):
    """Divergence between the predictions on a text and on its perturbed version, or under another dropout mask.

    The perturbations are those probes draw from. With none, the noise is dropout, which the recipe must then have. The
    divergences are the symmetric Kullback-Leibler one, halved, and the Jensen-Shannon one. R-Drop (Liang et al. 2021,
    arXiv 2106.14448), cross-entropy of both passes + alpha (KL + KL) / 2, is perturbations = [], divergence = "kl",
    noisy = 1, weight = alpha.
    """

    perturbations: tuple[str, ...] = ("keyboard", "swap", "drop", "repeat")
    strength: float = 0.1
    """Share of a text's graphemes or words that is edited."""
    divergence: Literal["js", "kl"] = "js"
    weight: float = 1.0
    """Weight of the divergence."""
    noisy: float = 0.0
    """Weight of the cross-entropy on the noisy version."""

    def __post_init__(self) -> None:
        for name in self.perturbations:
            perturbations.get(name)
        if not 0 < self.strength <= 1:
            raise ValueError(f"strength is a share above 0 and up to 1, not {self.strength}.")
        if not self.weight > 0 or self.noisy < 0:
            raise ValueError("weight must be above 0 and noisy not below 0.")

    @property
    def fresh(self) -> bool:
        """Noise is drawn anew for every epoch."""
        return bool(self.perturbations)

    @property
    def needs_dropout(self) -> bool:
        """Whether the method does nothing without dropout."""
        return not self.perturbations

    def view(self, examples: Sequence[Example], rng: np.random.Generator) -> list[Example] | None:
        """A perturbed version of every row, both sides of a pair; None where the noise is dropout."""
        if not self.perturbations:
            return None
        return [replace(example, item=self._noisy(example, rng)) for example in examples]

    def _noisy(self, example: Example, rng: np.random.Generator) -> Item:
        language = languages.get(example.lang)

        def draw(text: str) -> str:
            return noise.perturb(text, language, self.perturbations, self.strength, rng) or text

        item = example.item
        return Item(draw(item.text), None if item.pair is None else draw(item.pair))

    def penalty(self, passes: Passes) -> Tensor:
        """Weighted divergence, and cross-entropy on the noisy version if it has a weight."""
        other = passes.second if self.perturbations else passes.again
        loss = self.weight * between(passes.clean, other, self.divergence)
        return loss + self.noisy * passes.cross_entropy(other) if self.noisy else loss


def between(a: Tensor, b: Tensor, divergence: Literal["js", "kl"]) -> Tensor:
    """Mean divergence of the distributions two sets of logits (n, labels) stand for, a scalar in nats."""
    p, q = F.log_softmax(a.float(), dim=-1), F.log_softmax(b.float(), dim=-1)
    if divergence == "js":
        middle = torch.logaddexp(p, q) - math.log(2)
        return (_kl(p, middle) + _kl(q, middle)) / 2
    return (_kl(p, q) + _kl(q, p)) / 2


def _kl(p: Tensor, q: Tensor) -> Tensor:
    """KL(p || q) of log-probabilities, mean over rows."""
    return F.kl_div(q, p, reduction="batchmean", log_target=True)


registry.add("consistency", Consistency)
