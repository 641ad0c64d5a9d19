"""Behavioural tests: templates in many languages whose right answer, or its change, is known (CheckList, ACL 2020)."""

from __future__ import annotations

from probes.behaviour.results import BehaviourReport, Row, Verdict
from probes.behaviour.run import behave
from probes.behaviour.suite import Behaviour, Suite, SuiteError, load
from probes.behaviour.tasks import TASKS, LabelError, Task, parse_labels
from probes.behaviour.text import examples, markdown, terminal

__all__ = [
    "TASKS",
    "Behaviour",
    "BehaviourReport",
    "LabelError",
    "Row",
    "Suite",
    "SuiteError",
    "Task",
    "Verdict",
    "behave",
    "examples",
    "load",
    "markdown",
    "parse_labels",
    "terminal",
]
