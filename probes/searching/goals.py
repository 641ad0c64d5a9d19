"""What an attack is after: the label lost, a label of its choice, or confidence gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.registry import unknown
from probes.types import Classifier, Item, Probabilities

KINDS = ("untargeted", "targeted", "confidence")


@dataclass(frozen=True, slots=True)
class Goal:
    """untargeted: another label wins; targeted: the target wins; confidence: the label's probability falls by a share.

    The label is the one the model gives the clean text. Confidence does not ask which label wins.
    """

    kind: str = "untargeted"
    target: str | None = None
    share: float | None = None

    def check(self, labels: Sequence[str]) -> None:
        """UnknownName where the target is none of a model's labels."""
        if self.target is not None and self.target not in labels:
            raise unknown("label of the model", self.target, labels)

    def reached(self, answer: Probabilities, clean: Probabilities, labels: Sequence[str]) -> bool:
        """Whether an answer of shape (k,) is what was wanted, the clean one being this."""
        if self.kind == "untargeted":
            return int(answer.argmax()) != int(clean.argmax())
        return bool(self._margin(answer[None], clean, labels)[0] < 0)

    def view(self, classifier: Classifier, clean: Probabilities) -> tuple[Classifier, int]:
        """The classifier, and the column of the label, such that an attack that has the label lost is at the goal."""
        if self.kind == "untargeted":
            return classifier, int(clean.argmax())
        return _View(classifier, self, clean), 0

    def _margin(self, answers: Probabilities, clean: Probabilities, labels: Sequence[str]) -> NDArray[np.float32]:
        """How far each answer is from the goal, shape (n,), -1 to 1 and below zero at it."""
        if self.target is not None:
            column = list(labels).index(self.target)
            margin = np.delete(answers, column, axis=1).max(axis=1, initial=0.0) - answers[:, column]
        else:
            column = int(clean.argmax())
            margin = answers[:, column] - (1 - (self.share or 0)) * clean[column]
        return np.asarray(margin, dtype=np.float32)


def parse(text: str) -> Goal:
    """A goal from "untargeted", "targeted:LABEL" or "confidence:SHARE"; ValueError says what else it is."""
    kind, colon, argument = text.partition(":")
    if kind not in KINDS:
        raise unknown("goal", kind, KINDS)
    if kind == "untargeted" and not colon:
        return Goal()
    if kind == "targeted" and argument:
        return Goal(kind, target=argument)
    try:
        share = float(argument) if kind == "confidence" else -1.0
    except ValueError:
        share = -1.0
    if 0 < share < 1:
        return Goal(kind, share=share)
    raise ValueError(
        f'{text!r} is no goal: "untargeted", "targeted:LABEL" and "confidence:SHARE" are, a share between 0 and 1'
    )


class _View:
    """A classifier of two labels, the second of which wins where the goal is reached."""

    labels = ("held", "reached")

    def __init__(self, classifier: Classifier, goal: Goal, clean: Probabilities) -> None:
        self._classifier, self._goal, self._clean = classifier, goal, clean

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        margin = self._goal._margin(self._classifier(items), self._clean, self._classifier.labels)
        held = np.clip((1 + margin) / 2, 0, 1)
        return np.stack([held, 1 - held], axis=1)
