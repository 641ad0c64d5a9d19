"""What `--model` may name: a model folder, an address, or a classifier in a Python module."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import runtime
from probes.registry import UnknownName, load_object
from probes.types import Classifier
from runtime.remote import HttpClassifier


class TargetError(ValueError):
    """A target that is no classifier."""


def open_classifier(target: str) -> Classifier:
    """The classifier of a model folder, an http(s) address or "module:attr" (a classifier, or what makes one)."""
    if target.startswith(("http://", "https://")):
        return HttpClassifier(target)
    if Path(target).is_dir():
        return runtime.load(target)
    module, _, attribute = target.partition(":")
    if module and attribute and os.sep not in target:
        return _from_module(target)
    raise TargetError(
        f"there is no model folder {target!r}; a model is a folder, an http:// or https:// address, or module:attr"
    )


def _from_module(target: str) -> Classifier:
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # a console script, unlike python -m, does not look where it is called
    try:
        found = load_object(target)
    except UnknownName as error:
        raise TargetError(str(error)) from error
    if not hasattr(found, "labels") and callable(found):
        found = found()
    if not hasattr(found, "labels") or not callable(found):
        raise TargetError(f"{target} is no classifier: it needs labels, and to be called with items")
    classifier: Classifier = found
    return classifier
