"""The types every part of babelproof is built from: items, classifiers, edits, attacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from probes.languages import Language

Probabilities = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Item:
    """One input of a classifier: a text, or a text and its pair."""

    text: str
    pair: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """An item with its identity, its language and, where known, its gold label."""

    id: str
    item: Item
    lang: str
    label: str | None = None


class Classifier(Protocol):
    """Anything that turns items into probabilities; an ONNX session, an address, a three-line fake."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Label names, in the order of the columns of the answer."""

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        """Probabilities of shape (len(items), len(labels)), each row summing to one."""


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace code points start:end of the original text, which lie on grapheme borders, by new."""

    start: int
    end: int
    new: str


Perturbation = Callable[[str, "Language"], Iterator[Edit]]
"""Every edit a perturbation could make to a text; pure, without randomness."""

Accept = Callable[[str, Sequence[Edit]], bool]
"""Whether a set of edits to a text may be made (edit share, protected spans, ...)."""


class Oracle(Protocol):
    """A classifier that batches, caches and counts; raises BudgetSpent when queries or time run out."""

    labels: tuple[str, ...]
    queries: int

    def __call__(self, items: Sequence[Item]) -> Probabilities: ...

    @property
    def left(self) -> int | None:
        """Queries that the budget still allows; None without one."""

    def spend(self, queries: int) -> None:
        """Count what is asked of a model elsewhere, a gradient say."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an attack found for one example."""

    edits: tuple[Edit, ...]
    fooled: bool
    queries: int


class Attack(Protocol):
    """Searches over edits of one item for a set that changes the label; never counts, caches or times."""

    def __call__(
        self,
        item: Item,
        label: int,
        edits: Sequence[Edit],
        oracle: Oracle,
        accept: Accept,
        rng: np.random.Generator,
    ) -> Attempt: ...
