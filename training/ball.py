"""Balls of perturbations: their radius, the steepest way up, and the way back inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Norm = Literal["l2", "linf"]
Per = Literal["token", "sequence"]
Unit = Literal["relative", "absolute"]
_TINY = 1e-12


@dataclass(frozen=True)
class Ball:
    """All perturbations of shape (n, length, width) that are zero off content and of norm at most radius.

    Under `per` token every token has a ball of its own; under sequence one ball holds the whole of a text (which is the
    same thing for l-infinity).
    """

    norm: Norm
    per: Per
    radius: Tensor
    """A scalar, or of shape (n, 1, 1)."""
    content: Tensor
    """Shape (n, length, 1), 1 where a token may be perturbed."""

    def size(self, delta: Tensor) -> Tensor:
        """Norm of each token's or each text's perturbation, of shape (n, length, 1) or (n, 1, 1)."""
        axes = (2,) if self.per == "token" else (1, 2)
        return torch.linalg.vector_norm(delta * self.content, 2 if self.norm == "l2" else torch.inf, axes, keepdim=True)

    def project(self, delta: Tensor) -> Tensor:
        """The nearest perturbation inside the ball."""
        delta = delta * self.content
        if self.norm == "linf":
            return torch.maximum(torch.minimum(delta, self.radius), -self.radius)
        return delta * (self.radius / self.size(delta).clamp(min=_TINY)).clamp(max=1)

    def steepest(self, gradient: Tensor) -> Tensor:
        """The perturbation of norm one that goes up fastest; zero where the gradient is."""
        gradient = gradient * self.content
        if self.norm == "linf":
            return gradient.sign()
        return gradient / self.size(gradient).clamp(min=_TINY)

    def random(self, like: Tensor, rng: torch.Generator) -> Tensor:
        """A perturbation drawn uniformly from the ball."""
        if self.norm == "linf":
            drawn = torch.rand(like.shape, generator=rng, device=rng.device).to(like.device)
            return (2 * drawn - 1) * self.radius * self.content
        direction = self.steepest(torch.randn(like.shape, generator=rng, device=rng.device).to(like.device))
        size = self.size(like)
        share = torch.rand(size.shape, generator=rng, device=rng.device).to(like.device)
        numbers = like.shape[2] * (1 if self.per == "token" else self.content.sum(dim=1, keepdim=True).clamp(min=1))
        return direction * self.radius * share ** (1 / numbers)


def token_norm(vectors: Tensor, content: Tensor) -> Tensor:
    """Mean l2 norm of the content tokens of a batch, a scalar: what relative radii are shares of."""
    norms = torch.linalg.vector_norm(vectors, dim=2, keepdim=True)
    return (norms * content).sum() / content.sum().clamp(min=1)


def radius(epsilon: float, unit: Unit, norm: Norm, per: Per, vectors: Tensor, content: Tensor) -> Tensor:
    """The radius that epsilon means for these vectors.

    absolute: epsilon itself. relative: for one token's l2 ball, epsilon times the mean token norm of the batch; the
    other balls are measured alike, by that norm / sqrt(width), the coordinate of an even token (l-infinity), and by
    that norm x sqrt(n), all n tokens of a text together (sequence), so that one epsilon is one dose.
    """
    if unit == "absolute":
        return torch.tensor(epsilon, device=vectors.device)
    scale = token_norm(vectors, content)
    if norm == "linf":
        return epsilon * scale / vectors.shape[2] ** 0.5
    if per == "sequence":
        return epsilon * scale * content.sum(dim=1, keepdim=True).sqrt()
    return epsilon * scale
