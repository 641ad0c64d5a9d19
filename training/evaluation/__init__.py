"""What a classifier is worth, language by language: on clean texts, mixed pairs, under noise and under attack."""

from __future__ import annotations

from training.evaluation.measure import evaluate
from training.evaluation.outcomes import Evaluation, EvaluationError, Judged, Radius
from training.evaluation.resampling import Difference
from training.evaluation.suite import Suite

__all__ = [
    "Difference",
    "Evaluation",
    "EvaluationError",
    "Judged",
    "Radius",
    "Suite",
    "evaluate",
]
