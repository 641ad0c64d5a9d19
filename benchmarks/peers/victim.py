"""The model under attack: the same code on the same files in every environment, its time and questions counted."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

import runtime
from probes.types import Item, Probabilities


class Victim:
    """A model folder on one thread, as a classifier that says how long it was asked."""

    def __init__(self) -> None:
        self._model = runtime.load(os.environ["BABELPROOF_VICTIM"], threads=1)
        self.labels = self._model.labels
        self.restart()
        self([Item("warm up")])

    def restart(self) -> None:
        """Begin to count anew."""
        self.seconds, self.queries = 0.0, 0

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        """Probabilities of shape (n, k)."""
        start = time.perf_counter()
        answers = self._model(items)
        self.seconds += time.perf_counter() - start
        self.queries += len(items)
        return answers
