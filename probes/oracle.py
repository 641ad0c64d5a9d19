"""The oracle: a classifier that batches, remembers its answers, counts its queries and knows when to stop."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np

from probes.types import Classifier, Item, Probabilities


class BudgetSpent(Exception):
    """No query is left: the question asked does not fit into the budget."""


class DeadlinePassed(BudgetSpent):
    """No time is left."""


class Oracle:
    """A classifier with a budget of queries and a deadline (time.monotonic seconds).

    An oracle is itself a classifier, so a budget for one example is an oracle over the run's oracle: the outer one
    counts what that example asked, whatever others asked before it, and the inner one keeps every answer.
    """

    def __init__(
        self, classifier: Classifier, budget: int | None = None, deadline: float | None = None, batch_size: int = 64
    ) -> None:
        self.labels = tuple(classifier.labels)
        self.queries = 0
        self._classifier = classifier
        self._budget = budget
        self._deadline = deadline
        self._batch_size = batch_size
        self._answers: dict[Item, Probabilities] = {}

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        """Probabilities of shape (len(items), len(labels)); BudgetSpent before asking what cannot be paid for."""
        new = [item for item in dict.fromkeys(items) if item not in self._answers]
        self._afford(len(new))
        for start in range(0, len(new), self._batch_size):
            self._ask(new[start : start + self._batch_size])
        if not items:
            return np.zeros((0, len(self.labels)), dtype=np.float32)
        return np.stack([self._answers[item] for item in items])

    @property
    def answers(self) -> Mapping[Item, Probabilities]:
        """Every answer there was, each of shape (len(labels),)."""
        return self._answers

    @property
    def left(self) -> int | None:
        """Queries that the budget still allows; None without one."""
        return None if self._budget is None else self._budget - self.queries

    @property
    def late(self) -> bool:
        """Whether the deadline has passed."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    def answer(self, item: Item) -> Probabilities | None:
        """The remembered answer of shape (len(labels),), without asking."""
        return self._answers.get(item)

    def spend(self, queries: int) -> None:
        """Count what is asked of a model elsewhere, a gradient say; BudgetSpent before what cannot be paid for."""
        self._afford(queries)
        if self.late:
            raise DeadlinePassed("the deadline has passed")
        self.queries += queries

    def _afford(self, queries: int) -> None:
        if self.left is not None and queries > self.left:
            raise BudgetSpent(f"{queries} queries wanted, {self.left} of {self._budget} left")

    def _ask(self, batch: Sequence[Item]) -> None:
        if self.late:
            raise DeadlinePassed("the deadline has passed")
        answers = np.asarray(self._classifier(batch), dtype=np.float32)
        if answers.shape != (len(batch), len(self.labels)):
            raise ValueError(
                f"the classifier answered an array of shape {answers.shape} to {len(batch)} items; "
                f"it has {len(self.labels)} labels, so ({len(batch)}, {len(self.labels)}) was expected"
            )
        if not np.isfinite(answers).all():
            raise ValueError("the classifier answered probabilities that are not numbers (NaN or infinite)")
        self.queries += len(batch)
        self._answers.update(zip(batch, answers, strict=True))
