"""The defences, one file each: what is done to a text before the model is asked, whichever language it is in.

A defence gives the texts to ask in place of one: a repair gives one, a vote several, whose answers are averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, cast

import numpy as np

from probes.registry import load_object, unknown
from probes.types import Classifier, Item, Probabilities

Defence = Callable[[str], tuple[str, ...]]


def names() -> tuple[str, ...]:
    """The names of the defences that ship: those of their files, with hyphens."""
    return tuple(sorted(module.name.replace("_", "-") for module in iter_modules(__path__)))


def get(name: str) -> Defence:
    """The defence of this name, or what "their.module:thing" names; UnknownName names near ones."""
    if ":" in name:
        return cast(Defence, load_object(name))
    if name not in names():
        raise unknown("defence", name, names())
    own = name.replace("-", "_")
    return cast(Defence, getattr(import_module(f"{__name__}.{own}"), own))


def describe(name: str) -> str:
    """One line that says what the defence does."""
    return (get(name).__doc__ or "").strip().partition("\n")[0]


class Defended:
    """A classifier that is asked what the defences, one after the other, make of each text."""

    def __init__(self, classifier: Classifier, defences: Sequence[str]) -> None:
        self.labels = tuple(classifier.labels)
        self.defences = tuple(defences)
        self._classifier = classifier
        self._steps = [get(name) for name in self.defences]

    @property
    def identity(self) -> dict[str, Any]:
        """What a report says of the model: what the classifier says of itself, and the defences."""
        own = getattr(getattr(self._classifier, "manifest", None), "sha256", None)
        known = {"manifest_sha256": own} if own else {}
        return known | dict(getattr(self._classifier, "identity", {})) | {"defences": list(self.defences)}

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        """Probabilities of shape (n, k): of each item, the mean over what is asked in its place."""
        asked = [self._asked(item) for item in items]
        flat = list(dict.fromkeys(one for group in asked for one in group))
        answers = dict(zip(flat, np.asarray(self._classifier(flat), dtype=np.float32), strict=True)) if flat else {}
        means = [np.mean([answers[one] for one in group], axis=0) for group in asked]
        return np.asarray(means, dtype=np.float32).reshape(len(items), len(self.labels))

    def _asked(self, item: Item) -> list[Item]:
        texts = self._replaced(item.text)
        pairs = [None] if item.pair is None else self._replaced(item.pair)
        count = max(len(texts), len(pairs))
        return [Item(texts[i % len(texts)], pairs[i % len(pairs)]) for i in range(count)]

    def _replaced(self, text: str) -> list[str]:
        texts = [text]
        for step in self._steps:
            texts = [new for old in texts for new in step(old)]
        return texts
