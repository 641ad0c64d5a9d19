"""Randomized smoothing by random perturbation: RS-RP of Huang et al. 2021 (arXiv 2104.08645)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from training.ball import Unit, token_norm
from training.methods import registry
from training.methods.plain import Plain
from training.passes import Passes, Place


@dataclass(frozen=True)
class RandomPerturbation(Plain):
    """Cross-entropy under random noise on the embeddings or last states, averaged over draws.

    The authors' radius, distribution and number of draws are not known; a later reimplementation took uniform noise
    of 0.01 or 0.1 on the last states, 3 draws, no clean term. The defaults are ours: one draw on the embeddings, which
    costs what a plain pass costs.
    """

    place: Place = "embeddings"
    distribution: Literal["gaussian", "uniform"] = "gaussian"
    scale: float = 0.1
    """Standard deviation (gaussian) or largest size (uniform) of a coordinate's noise."""
    unit: Unit = "relative"
    """relative: a share of the batch's mean token norm / sqrt(width), so gaussian noise has about `scale` times the
    mean token's norm."""
    draws: int = 1
    weight: float = 1.0
    """Weight of the noisy cross-entropy."""
    clean_weight: float = 0.0
    """Weight of the clean cross-entropy; above 0 it costs a pass, but none where the noise is on the states."""

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise ValueError(f"scale is the size of the noise and above 0, not {self.scale}.")
        if self.draws < 1:
            raise ValueError(f"draws must be at least 1, not {self.draws}.")
        if not self.weight > 0 or self.clean_weight < 0:
            raise ValueError("weight must be above 0 and clean_weight not below 0.")

    def penalty(self, passes: Passes) -> Tensor:
        """Weighted mean loss over the draws."""
        vectors = passes.vectors(self.place)
        scale = self.scale
        if self.unit == "relative":
            scale *= float(token_norm(vectors, passes.movable(self.place))) / vectors.shape[2] ** 0.5
        losses = [
            passes.cross_entropy(passes.shifted(self.place, self._noise(vectors, scale, passes.rng)))
            for _ in range(self.draws)
        ]
        return self.weight * torch.stack(losses).mean()

    def _noise(self, like: Tensor, scale: float, rng: torch.Generator) -> Tensor:
        if self.distribution == "gaussian":
            return scale * torch.randn(like.shape, generator=rng, device=rng.device).to(like.device)
        return scale * (2 * torch.rand(like.shape, generator=rng, device=rng.device).to(like.device) - 1)


registry.add("random-perturbation", RandomPerturbation)
