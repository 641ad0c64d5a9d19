"""The dose every perturbation really gives in every language, measured on texts: what `babelproof doses` prints."""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, variance

import numpy as np

from probes import languages, noise, perturbations
from probes.dose import dose as dose_of
from probes.types import Example

NEAR = 0.1
"""A realised dose is that of its name where it is at most this share of it away."""

# Draws of a cell stop when the standard error is this share of the nominal dose, a quarter of NEAR.
PRECISION = 0.025
BATCH, MOST = 20, 600


@dataclass(frozen=True, slots=True)
class Dosage:
    """What draws of a perturbation at a dose changed of a language's texts.

    coverage is the share of the texts it can touch. realised is the mean dose of `draws` draws on each of those, error
    the standard error of that mean for these texts. room is what all its places taken together change, which bounds
    the dose that can be reached. All three are None where it can touch no text.
    """

    lang: str
    perturbation: str
    nominal: float
    texts: int
    coverage: float
    draws: int = 0
    realised: float | None = None
    error: float | None = None
    room: float | None = None

    @property
    def near(self) -> bool:
        """Whether the realised dose is within 10 % of the nominal one."""
        return self.realised is not None and abs(self.realised - self.nominal) <= NEAR * self.nominal


def measure(
    examples: Iterable[Example],
    names: Sequence[str],
    nominal: float,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> list[Dosage]:
    """A dosage for each language of the examples and each perturbation that applies to it, in that order.

    A draw depends on its text, language, perturbation, dose, number and the seed alone; a cell has as many as make its
    standard error a fortieth of the dose, within bounds. progress is called with the cells done and wanted.
    """
    texts: dict[str, list[str]] = defaultdict(list)
    for example in examples:
        texts[example.lang].append(example.item.text)
    cells = [(lang, name) for lang in sorted(texts) for name in names if _applies(name, lang)]
    found = []
    for done, (lang, name) in enumerate(cells, 1):
        found.append(_dosage(lang, name, texts[lang], nominal, seed))
        if progress is not None:
            progress(done, len(cells))
    return found


def by_perturbation(dosages: Iterable[Dosage]) -> dict[str, list[Dosage]]:
    """The dosages of each perturbation, by name."""
    found: dict[str, list[Dosage]] = defaultdict(list)
    for one in dosages:
        found[one.perturbation].append(one)
    return dict(sorted(found.items()))


def scripts(dosages: Iterable[Dosage]) -> frozenset[str]:
    """The first script of each language among the dosages."""
    return frozenset(script for one in dosages for script in languages.get(one.lang).scripts[:1])


def _applies(name: str, lang: str) -> bool:
    return perturbations.applicable(name, languages.get(lang))


def _dosage(lang: str, name: str, texts: Sequence[str], nominal: float, seed: int) -> Dosage:
    language = languages.get(lang)
    touched = [text for text in texts if noise.applies(text, language, (name,))]
    coverage = len(touched) / len(texts)
    if not touched:
        return Dosage(lang, name, nominal, len(texts), coverage)

    def drawn(text: str, dose: float, draw: int) -> float:
        key = json.dumps([seed, text, lang, name, dose, draw]).encode()
        rng = np.random.default_rng(int.from_bytes(hashlib.sha256(key).digest()))
        return dose_of(text, noise.dosed(text, language, (name,), dose, rng))

    given: list[list[float]] = [[] for _ in touched]
    error = nominal
    while error > PRECISION * nominal and len(given[0]) < MOST:
        for text, doses in zip(touched, given, strict=True):
            doses += [drawn(text, nominal, draw) for draw in range(len(doses), len(doses) + BATCH)]
        error = math.sqrt(sum(variance(doses) / len(doses) for doses in given)) / len(given)
    room = fmean(drawn(text, 1.0, 0) for text in touched)
    return Dosage(lang, name, nominal, len(texts), coverage, len(given[0]), fmean(map(fmean, given)), error, room)
