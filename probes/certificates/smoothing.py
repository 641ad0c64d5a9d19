"""Randomized smoothing: the label most noisy copies get, how sure that is, and the radius it holds for.

Cohen, Rosenfeld and Kolter, "Certified Adversarial Robustness via Randomized Smoothing", 2019 (arXiv 1902.02918). Their
inputs are pixels; here the noise is on the vectors of a text's tokens, so a radius speaks of l2 moves of these vectors
all together, with the special tokens, the tokenisation and the length of the text as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, norm

Sampler = Callable[[int, np.random.Generator], NDArray[np.int64]]
"""Number of the label predicted for each of so many noisy copies of one text, shape (draws,)."""


@dataclass(frozen=True, slots=True)
class Vote:
    """The smoothed prediction: label number, or None for an abstention; draws with that label out of all."""

    label: int | None
    agreed: int
    draws: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Certificate:
    """A smoothed label that no move of l2 norm below the radius changes, with this confidence; None: abstained."""

    label: int | None
    radius: float
    lower: float
    """Lower confidence bound of the probability that a noisy copy gets the label."""
    sigma: float
    draws: int
    confidence: float


def vote(sample: Sampler, rng: np.random.Generator, *, draws: int = 100, confidence: float = 0.999) -> Vote:
    """Majority of the draws; abstains unless the first label beats the second with this confidence (PREDICT)."""
    _check(draws, confidence)
    counts = np.bincount(sample(draws, rng), minlength=2)
    second, first = np.sort(counts)[-2:]
    sure = binomtest(int(first), int(first + second), 0.5).pvalue <= 1 - confidence
    return Vote(int(counts.argmax()) if sure else None, int(first), draws, confidence)


def certify(
    sample: Sampler,
    sigma: float,
    rng: np.random.Generator,
    *,
    selection: int = 100,
    draws: int = 1000,
    confidence: float = 0.999,
) -> Certificate:
    """Radius within which the smoothed label is constant (CERTIFY).

    sigma is the standard deviation of the Gaussian noise that `sample` adds to every coordinate. The label is chosen on
    `selection` draws, and its probability bounded from below on others (Clopper and Pearson); at one half or less it
    abstains.
    """
    _check(min(selection, draws), confidence)
    if not sigma > 0:
        raise ValueError(f"sigma is the size of the noise and above 0, not {sigma}")
    label, lower = bounded(sample(selection, rng), sample(draws, rng), confidence)
    if lower <= 0.5:
        return Certificate(None, 0.0, lower, sigma, draws, confidence)
    return Certificate(label, radius(lower, sigma), lower, sigma, draws, confidence)


def radius(lower: float, sigma: float) -> float:
    """The l2 norm of moves that leave a label of probability at least `lower` (above one half) the likeliest."""
    return float(sigma * norm.ppf(lower))


def bounded(selected: NDArray[np.int64], drawn: NDArray[np.int64], confidence: float) -> tuple[int, float]:
    """The label most of the selected have, and the lower bound of its probability that the others give it.

    One-sided, after Clopper and Pearson 1934; that the label was chosen on other draws is what makes it hold.
    """
    label = int(np.bincount(selected).argmax())
    agreed = int((drawn == label).sum())
    found = binomtest(agreed, len(drawn), alternative="greater").proportion_ci(confidence, method="exact")
    return label, float(found.low)


def _check(draws: int, confidence: float) -> None:
    if draws < 1:
        raise ValueError(f"draws must be at least 1, not {draws}")
    if not 0.5 < confidence < 1:
        raise ValueError(f"confidence must be above 0.5 and below 1, not {confidence}")
