"""The tasks that behavioural tests are written for, and which labels of a model their labels are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from probes.registry import unknown
from probes.types import Probabilities

LEAST_LABELS = 2


class LabelError(ValueError):
    """The model's labels do not fit the task; the message says which, and how to name them."""


@dataclass(frozen=True, slots=True)
class Task:
    """Labels in the words of the tests, what else models call them, and those a model must have."""

    labels: tuple[str, ...]
    required: tuple[str, ...] = ()
    pairs: bool = False
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


TASKS: Mapping[str, Task] = {
    "topic": Task(
        ("entertainment", "geography", "health", "politics", "science/technology", "sports", "travel"),
        aliases={"sports": ("sport",), "science/technology": ("science", "technology", "sci/tech")},
    ),
    "sentiment": Task(
        ("positive", "negative", "neutral"),
        required=("positive", "negative"),
        aliases={"positive": ("pos",), "negative": ("neg",), "neutral": ("neu",)},
    ),
    "nli": Task(
        ("entailment", "neutral", "contradiction"),
        required=("entailment", "contradiction"),
        pairs=True,
        aliases={"entailment": ("entails", "entailed"), "contradiction": ("contradicts", "contradictory")},
    ),
}


def task(name: str) -> Task:
    """The task of this name; UnknownName with near ones."""
    if name not in TASKS:
        raise unknown("task", name, TASKS)
    return TASKS[name]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Which labels of the model stand for each label of the task; missing are the task's labels it lacks."""

    model_labels: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]

    def probability(self, answer: Probabilities, label: str) -> float:
        """What the model gives a label of the task; answer has shape (k,)."""
        return float(sum(answer[self.model_labels.index(own)] for own in self.groups[label]))

    def predicted(self, answer: Probabilities) -> tuple[str, ...]:
        """The task's labels for what the model answers; a label of the model that stands for none, as it is.

        Labels of the model that stand for one label of the task win together; several labels of the task that the
        model knows as one are answered together.
        """
        owned = {own for group in self.groups.values() for own in group}
        alone = ((own,) for own in self.model_labels if own not in owned)
        units = sorted({*self.groups.values(), *alone}, key=lambda unit: self.model_labels.index(unit[0]))
        sums = [sum(float(answer[self.model_labels.index(own)]) for own in unit) for unit in units]
        best = units[int(np.argmax(sums))]
        return tuple(label for label, group in self.groups.items() if group == best) or best


def align(name: str, model_labels: Sequence[str], said: Mapping[str, Sequence[str]] | None = None) -> Alignment:
    """Match the labels of a task and of a model, by what was said and else by name; LabelError if they do not fit."""
    wanted, groups = task(name), {}
    for label, owns in (said or {}).items():
        if label not in wanted.labels:
            raise LabelError(str(unknown(f"label of {name}", label, wanted.labels)))
        for own in owns:
            if own not in model_labels:
                raise LabelError(str(unknown("label of the model", own, model_labels)))
        groups[label] = tuple(dict.fromkeys(owns))
    taken = {own for group in groups.values() for own in group}
    for label in wanted.labels:
        names = {label, *wanted.aliases.get(label, ())}
        found = tuple(own for own in model_labels if own.casefold() in names and own not in taken)
        if label not in groups and found:
            groups[label] = found
    missing = [label for label in wanted.required if label not in groups]
    if missing or len(groups) < LEAST_LABELS:
        lacking = missing or [label for label in wanted.labels if label not in groups]
        raise LabelError(
            f"the tests for {name} need {_listed(lacking)}, and the model's labels are {_listed(model_labels)}; "
            f"say which is which with --label {lacking[0]}=LABEL"
        )
    return Alignment(tuple(model_labels), {label: groups[label] for label in wanted.labels if label in groups})


def parse_labels(said: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """{"positive": ("4 stars", "5 stars")} from "positive=4 stars" and "positive=5 stars"."""
    found: dict[str, tuple[str, ...]] = {}
    for one in said:
        label, equals, own = one.partition("=")
        if not (label and equals and own):
            raise LabelError(f"--label takes the label of the task and the model's (positive=POS), not {one!r}")
        found[label] = (*found.get(label, ()), own)
    return found


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(map(repr, labels))
