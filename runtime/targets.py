"""What `--model` may name: a folder, an address, a file of predictions, or a classifier in a Python module."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import runtime
from probes.registry import UnknownName, load_object
from probes.types import Classifier
from runtime.manifest import NAME
from runtime.predictions import ENDINGS, PredictionError, PredictionFile
from runtime.remote import HttpClassifier

TARGETS = "A model folder, a Hugging Face folder, an http(s) address, a .jsonl of predictions, or module:attr."
_TORCH = "training.classifier:TorchClassifier"
_SEVERAL = "multi_label_classification"


class TargetError(ValueError):
    """A target that is no classifier."""


def open_classifier(target: str, *, threads: int | None = None) -> Classifier:
    """The classifier a target names; "module:attr" is a classifier, or what makes one. threads: of a model folder.

    TargetError, or the error of its kind: ModelFolderError of a model folder, RemoteError of an address.
    """
    if target.startswith(("http://", "https://")):
        return HttpClassifier(target)
    path = Path(target)
    if path.is_dir():
        hugging_face = (path / "config.json").is_file() and not (path / NAME).is_file()
        return _hugging_face(path) if hugging_face else runtime.load(target, threads=threads)
    if target.endswith(ENDINGS):
        try:
            return PredictionFile(target)
        except PredictionError as error:
            raise TargetError(str(error)) from error
    module, _, attribute = target.partition(":")
    if module and attribute and os.sep not in target:
        return _from_module(target)
    raise TargetError(
        f"there is no model folder {target!r}; a model is a folder, an http:// or https:// address, "
        "a .jsonl file of predictions, or module:attr"
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


def _hugging_face(folder: Path) -> Classifier:
    """A sequence classifier that save_pretrained wrote; torch is needed, and comes in by name alone."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        labels = config.get("id2label", {})
    except (OSError, ValueError, AttributeError) as error:
        raise TargetError(f"{folder}/config.json cannot be read: {error}") from error
    if len(labels) < 2 or config.get("problem_type") == _SEVERAL:
        raise TargetError(f"{folder} is no classifier of one label out of several: its config.json names {len(labels)}")
    try:
        found: Any = load_object(_TORCH)(folder)
    except (ImportError, UnknownName) as error:
        raise TargetError(
            f"{folder} is a Hugging Face folder, which takes torch to read ({error}); "
            "pip install -c constraints.txt -e '.[train]', "
            f"or make it a model folder there: babelproof import {folder} --out FOLDER"
        ) from error
    except (OSError, ValueError) as error:
        raise TargetError(f"{folder} is no model that transformers can read: {error}") from error
    found.digest = _digest(folder)
    found.identity = {"folder": folder.name, "sha256": found.digest}
    classifier: Classifier = found
    return classifier


def _digest(folder: Path) -> str:
    """Of every file of a folder, by name."""
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            whole.update(json.dumps([path.relative_to(folder).as_posix(), _sha256(file)]).encode())
    return whole.hexdigest()


def _sha256(file: Any) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()
