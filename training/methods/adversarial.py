"""Adversarial training: the loss at the worst perturbation found in a ball around the texts' vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from training.ball import Ball, Norm, Per, Unit, radius
from training.methods import registry
from training.methods.plain import Plain
from training.passes import Passes, Place


@dataclass(frozen=True)
class Adversarial(Plain):
    """Cross-entropy at a perturbation of the embeddings or last states that ascent found within a ball.

    pgd: `steps` ascent steps (Madry et al. 2018, arXiv 1706.06083) whose gradients reach nothing but the perturbation,
    then the loss at its end. free: the gradients of all passes on the way count as well (FreeLB, Zhu et al. 2020, arXiv
    1909.11764), so `steps` steps cost steps + 1 passes, and one more for a clean term beside a random start; with a
    zero start the first pass is the clean one, and one step is the fast form, at the cost of two passes.

    Adversarial training for cross-lingual transfer is of Huang et al. 2021 (arXiv 2104.08645); radius, steps, norm and
    place are not known of theirs, and the defaults are ours.
    """

    place: Place = "embeddings"
    norm: Norm = "l2"
    per: Per = "token"
    epsilon: float = 0.1
    """Radius of the ball."""
    unit: Unit = "relative"
    """relative: epsilon is a share of the mean norm of the batch's token vectors."""
    steps: int = 3
    step_size: float = 0.0
    """Length of an ascent step as a share of the radius; 0: 2.5 / steps, or 1 for a single step."""
    start: Literal["random", "zero"] = "random"
    form: Literal["pgd", "free"] = "pgd"
    weight: float = 1.0
    """Weight of the adversarial cross-entropy."""
    clean_weight: float = 1.0
    """Weight of the clean cross-entropy."""

    def __post_init__(self) -> None:
        if not self.epsilon > 0:
            raise ValueError(f"epsilon is the radius of a ball and above 0, not {self.epsilon}.")
        if self.steps < 1 or self.step_size < 0:
            raise ValueError("steps must be at least 1 and step_size not below 0.")
        if not self.weight > 0 or self.clean_weight < 0:
            raise ValueError("weight must be above 0 and clean_weight not below 0.")

    def penalty(self, passes: Passes) -> Tensor:
        """Weighted loss at the perturbation found (pgd), or its mean over the passes (free).

        With a zero start the free form's first pass counts as the clean one, weighed as that is and not in the mean.
        """
        vectors = passes.vectors(self.place)
        movable = passes.movable(self.place)
        reach = radius(self.epsilon, self.unit, self.norm, self.per, vectors, movable)
        ball = Ball(self.norm, self.per, reach, movable)
        delta = ball.random(vectors, passes.rng) if self.start == "random" else torch.zeros_like(vectors)
        return self._free(passes, ball, delta) if self.form == "free" else self._pgd(passes, ball, delta)

    def _pgd(self, passes: Passes, ball: Ball, delta: Tensor) -> Tensor:
        for _ in range(self.steps):
            delta.requires_grad_()
            with passes.inner():
                loss = passes.cross_entropy(passes.shifted(self.place, delta, frozen=True))
                (gradient,) = torch.autograd.grad(loss, delta)
            delta = self._step(ball, delta, gradient)
        return self.weight * passes.cross_entropy(passes.shifted(self.place, delta))

    def _free(self, passes: Passes, ball: Ball, delta: Tensor) -> Tensor:
        """All passes but the last go backward here, into the gradients of the parameters and of delta alike."""
        is_clean = self.start == "zero"
        counted = self.steps if is_clean else self.steps + 1
        seen = torch.zeros((), device=delta.device)
        for number in range(self.steps):
            delta.requires_grad_()
            weight = self.weight / counted
            if is_clean and number == 0:
                weight = 0.0 if passes.clean_is_spent else passes.clean_weight
                passes.clean_is_spent = True
            with passes.inner():
                loss = passes.cross_entropy(passes.shifted(self.place, delta, frozen=not weight))
                if weight:
                    (weight * loss).backward(retain_graph=self.place == "states")
                gradient = delta.grad if weight else torch.autograd.grad(loss, delta)[0]
            seen += weight * loss.detach()
            assert gradient is not None
            delta = self._step(ball, delta, gradient)
        last = self.weight / counted * passes.cross_entropy(passes.shifted(self.place, delta))
        return last + seen

    def _step(self, ball: Ball, delta: Tensor, gradient: Tensor) -> Tensor:
        share = self.step_size or (1.0 if self.steps == 1 else 2.5 / self.steps)
        return ball.project(delta.detach() + share * ball.radius * ball.steepest(gradient.detach()))


registry.add("adversarial", Adversarial)
