"""The instrument: look at a text classifier and say how it breaks, language by language."""

from __future__ import annotations

from probes.battery import Battery, Step, run
from probes.battery import load as load_battery
from probes.languages import Language
from probes.noise import perturb, sample
from probes.registry import UnknownName
from probes.report import Outcome, Report
from probes.text import graphemes, splice, words
from probes.types import Attack, Attempt, Classifier, Edit, Example, Item, Oracle, Perturbation

__all__ = [
    "Attack",
    "Attempt",
    "Battery",
    "Classifier",
    "Edit",
    "Example",
    "Item",
    "Language",
    "Oracle",
    "Outcome",
    "Perturbation",
    "Report",
    "Step",
    "UnknownName",
    "graphemes",
    "load_battery",
    "perturb",
    "run",
    "sample",
    "splice",
    "words",
]
