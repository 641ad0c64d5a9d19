"""Certificates against edits: a label that no few insertions, deletions and substitutions of units can change.

Randomized deletion (RS-Del; Huang, Marchant, Lucas, Bauer, Ohrimenko and Rubinstein 2023, arXiv 2302.01757; on text
CERT-ED 2024, arXiv 2408.00728). A text is the sequence of its units. The smoothed classifier deletes each unit with
probability q, each on its own, and gives the label that the classifier under it then gives most often.

Why that certifies. Let p(x) be the probability of a label after deletion from x. Let edits that take a units away and
put b new ones in make x' of x (a substitution does both), so that a sequence z of units is left of x in x'.

1. With probability q^a the a units are all deleted from x, and what is kept of x is then what is kept of z. Otherwise
   the label has at most probability 1. So p(x) <= q^a p(z) + 1 - q^a.
2. With probability q^b the b new units are all deleted from x'. So p(x') >= q^b p(z).
3. Together p(x') >= q^(b-a) (p(x) - 1 + q^a) = q^b (1 - (1 - p(x)) / q^a), which falls as a or b grows.

Of r edits, r substitutions are the worst (a = b = r): p(x') >= p(x) - 1 + q^r. Where that is above one half the label
is still the likeliest, whatever the others are. p(x) is not known but bounded from below by votes, with an error of
at most alpha. Nothing was asked of the classifier, of how units are joined or of how texts are cut, as long as a cut is
a function of the text and the distance is that of the two texts so cut.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from probes import languages
from probes.certificates.smoothing import bounded
from probes.registry import unknown
from probes.text import graphemes, words
from probes.types import Classifier, Example, Item, Probabilities

UNITS = ("grapheme", "word")

# Copies of one text: what a million more would prove is in the third decimal.
MOST_DRAWS = 100_000


@dataclass(frozen=True, slots=True)
class Deletion:
    """Units that are deleted with this probability (0..1), and the votes of copies with units deleted.

    `selection` copies choose the label, `draws` others bound its probability, with an error of alpha at most.
    """

    unit: str = "word"
    probability: float = 0.8
    selection: int = 100
    draws: int = 1000
    alpha: float = 0.001

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(str(unknown("unit", self.unit, UNITS)))
        if not 0 < self.probability < 1:
            raise ValueError(f"the probability of deletion is above 0 and below 1, not {self.probability}")
        if not 0 < self.alpha < 0.5:
            raise ValueError(f"alpha is above 0 and below 0.5, not {self.alpha}")
        for name, count in (("selection", self.selection), ("draws", self.draws)):
            if not 1 <= count <= MOST_DRAWS:
                raise ValueError(f"{name} are 1 to {MOST_DRAWS} copies, not {count}")
        if self.draws < (least := math.floor(math.log2(1 / self.alpha)) + 1):
            raise ValueError(
                f"with {self.draws} draws even a unanimous vote abstains; alpha {self.alpha:g} needs {least}"
            )

    @property
    def ceiling(self) -> int:
        """The radius that a unanimous vote certifies: no text can have a larger one."""
        return radius(self.alpha ** (1 / self.draws), self.probability)


@dataclass(frozen=True, slots=True)
class EditCertificate:
    """A smoothed label and how many edits cannot change it; label None: abstained, and nothing is certified.

    radius counts edits of any kind together, insertions and deletions those of an attack that does nothing else. units:
    how many the text (with its pair) has; a radius that reaches it says that the label is that of any text as short.
    """

    label: str | None
    lower: float
    """Lower confidence bound of the probability that a copy gets the label."""
    radius: int
    insertions: int
    deletions: int
    units: int


class Smoothed:
    """The smoothed classifier as a classifier: of `how.draws` copies of each item, the share that gets each label.

    The draws are fixed by seed and item: it answers an item the same whenever it is asked. lang is that of the texts.
    """

    def __init__(self, classifier: Classifier, how: Deletion, seed: int, lang: str = "und") -> None:
        self.labels = tuple(classifier.labels)
        self._classifier, self._how, self._seed, self._lang = classifier, how, seed, lang

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        """Shares of the votes, shape (len(items), len(labels))."""
        if not items:
            return np.zeros((0, len(self.labels)), dtype=np.float32)
        draws = self._how.draws
        drawn = [one for item in items for one in _copies(item, self._lang, self._how, draws, self._seed)]
        votes = self._classifier(drawn).argmax(axis=1).reshape(len(items), draws)
        return np.stack([(votes == label).mean(axis=1) for label in range(len(self.labels))], axis=1, dtype=np.float32)


def certify(classifier: Classifier, examples: Sequence[Example], how: Deletion, seed: int) -> list[EditCertificate]:
    """A certificate for each example (gold labels are not looked at), all their copies in one call of the classifier.

    An Oracle for a classifier packs that call in batches, asks for equal copies once, and stops it at a deadline or a
    budget (BudgetSpent). The draws are fixed by seed, setting and text: where whoever writes the texts could know the
    seed, give one they cannot (secrets.randbits(64)), or alpha does not hold.
    """
    rows = votes(classifier, examples, how, seed)
    return [judged(classifier.labels, example, how, row) for example, row in zip(examples, rows, strict=True)]


def votes(classifier: Classifier, examples: Sequence[Example], how: Deletion, seed: int) -> NDArray[np.int64]:
    """What each copy of each example is taken for, as numbers of labels: those that select, then those that count."""
    count = how.selection + how.draws
    copies = [one for e in examples for one in _copies(e.item, e.lang, how, count, seed)]
    if not copies:
        return np.zeros((0, count), dtype=np.int64)
    cast: NDArray[np.int64] = classifier(copies).argmax(axis=1).reshape(len(examples), count)
    return cast


def judged(labels: Sequence[str], example: Example, how: Deletion, drawn: NDArray[np.int64]) -> EditCertificate:
    """The certificate that one example's votes give."""
    label, lower = bounded(drawn[: how.selection], drawn[how.selection :], 1 - how.alpha)
    size = sum(map(len, _sides(example.item, example.lang, how.unit)))
    return _certificate(labels[label], lower, how.probability, size)


def bound(lower: float, deletion: float, removed: int, added: int) -> float:
    """The least probability a label of at least `lower` keeps after so many units are removed and added."""
    stays = deletion**removed
    return 0.0 if 1 - lower >= stays else deletion**added * (1 - (1 - lower) / stays)


def radius(lower: float, deletion: float) -> int:
    """Edits of any kind that leave a label of probability at least `lower` (above one half) above one half."""
    return _largest(1.5 - lower, deletion)


def segment(text: str, unit: str, lang: str) -> list[str]:
    """The text cut into its units, which joined are the text again.

    A word goes from its first letter to that of the next, the space and punctuation behind it included; what stands
    before the first word belongs to it. A text without words is one unit.
    """
    if not text:
        return []
    spans = graphemes(text) if unit == "grapheme" else words(text, languages.get(lang))
    return [text[start:end] for start, end in pairwise([0, *(start for start, _ in spans[1:]), len(text)])]


def _certificate(label: str, lower: float, deletion: float, size: int) -> EditCertificate:
    if lower <= 0.5:
        return EditCertificate(None, lower, 0, 0, 0, size)
    gone = _largest(max(2 * (1 - lower), sys.float_info.min), deletion)
    return EditCertificate(
        label, lower, radius(lower, deletion), _largest(0.5 / lower, deletion), min(gone, size), size
    )


def _largest(threshold: float, deletion: float) -> int:
    """The largest whole r with deletion ** r above the threshold (0..1)."""
    found = math.ceil(math.log(threshold) / math.log(deletion)) - 1
    return found - (deletion**found <= threshold)


def _sides(item: Item, lang: str, unit: str) -> list[list[str]]:
    return [segment(text, unit, lang) for text in (item.text, item.pair) if text is not None]


def _copies(item: Item, lang: str, how: Deletion, count: int, seed: int) -> list[Item]:
    """So many copies of an item with units of both sides deleted, fixed by seed, setting and item."""
    key = json.dumps([seed, how.unit, how.probability, item.text, item.pair]).encode()
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(key).digest()))
    sides = _sides(item, lang, how.unit)

    def kept(units: list[str]) -> str:
        return "".join(units[i] for i in np.flatnonzero(rng.random(len(units)) >= how.probability))

    return [Item(*map(kept, sides)) for _ in range(count)]
