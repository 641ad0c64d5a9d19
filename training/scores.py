"""Scores of a classifier language by language: accuracy with its interval, macro-averaged F1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.table import Table
from sklearn.metrics import f1_score

from probes.statistics.intervals import wilson
from probes.types import Classifier, Example


@dataclass(frozen=True, slots=True)
class Score:
    """How well a classifier does on n examples of one language; all shares in 0..1, interval 95 % (Wilson)."""

    lang: str
    n: int
    accuracy: float
    low: float
    high: float
    macro_f1: float


def score(classifier: Classifier, examples: Sequence[Example], batch: int = 512) -> tuple[Score, ...]:
    """One score per language, sorted by language; the examples have labels the classifier knows."""
    number = {label: place for place, label in enumerate(classifier.labels)}
    by_language: dict[str, list[Example]] = {}
    for example in examples:
        if example.label not in number:
            raise ValueError(
                f"example {example.id} ({example.lang}) has the label {example.label!r}; "
                f"the model's labels are {', '.join(classifier.labels)}"
            )
        by_language.setdefault(example.lang, []).append(example)
    scores = []
    for lang, rows in sorted(by_language.items()):
        gold = np.array([number[str(row.label)] for row in rows])
        parts = [rows[start : start + batch] for start in range(0, len(rows), batch)]
        predicted = np.concatenate([classifier([row.item for row in part]).argmax(axis=1) for part in parts])
        right = int((gold == predicted).sum())
        low, high = wilson(right, len(rows))
        macro = float(f1_score(gold, predicted, labels=np.unique(gold), average="macro", zero_division=0))
        scores.append(Score(lang, len(rows), right / len(rows), low, high, macro))
    return tuple(scores)


def mean_accuracy(scores: Sequence[Score]) -> float:
    """Unweighted mean over languages."""
    return float(np.mean([score.accuracy for score in scores]))


def table(scores: Sequence[Score], title: str) -> Table:
    """The scores for a terminal, in per cent, with their unweighted mean."""
    drawn = Table(title=title, title_justify="left")
    for name in ("language", "n", "accuracy", "95 % interval", "macro-F1"):
        drawn.add_column(name, justify="left" if name == "language" else "right")
    for row in scores:
        interval = f"{100 * row.low:.1f} to {100 * row.high:.1f}"
        drawn.add_row(row.lang, str(row.n), f"{100 * row.accuracy:.1f}", interval, f"{100 * row.macro_f1:.1f}")
    drawn.add_section()
    macro = float(np.mean([row.macro_f1 for row in scores]))
    drawn.add_row("mean", "", f"{100 * mean_accuracy(scores):.1f}", "", f"{100 * macro:.1f}")
    return drawn
