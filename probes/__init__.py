"""The instrument: look at a text classifier and say how it breaks, language by language."""

from __future__ import annotations

from probes.languages import Language
from probes.noise import perturb, sample
from probes.registry import UnknownName
from probes.text import graphemes, splice, words
from probes.types import Attack, Attempt, Classifier, Edit, Example, Item, Oracle, Perturbation

__all__ = [
    "Attack",
    "Attempt",
    "Classifier",
    "Edit",
    "Example",
    "Item",
    "Language",
    "Oracle",
    "Perturbation",
    "UnknownName",
    "graphemes",
    "perturb",
    "sample",
    "splice",
    "words",
]
