"""One cell of a comparison: an arm trained under one seed and evaluated, once, however often it is cut short."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from probes.files import write_text
from training import data
from training.classifier import TorchClassifier
from training.comparison.commit import commit
from training.comparison.cost import Cost
from training.evaluation import Evaluation, Suite, evaluate
from training.inputs import Inputs, RunError, gather
from training.recipe import Recipe
from training.run import results, train, trained

EVALUATION = "evaluation.json.gz"
Progress = Callable[[str, int, int], None]
_ABSENT = object()


@dataclass(frozen=True)
class Known:
    """Of a recipe: the optimiser updates of each stage, and SHA-256 of what it trains on."""

    updates: tuple[int, ...]
    hashes: Mapping[str, str]


@dataclass(frozen=True)
class Lab:
    """Where cells are made, of which data, and what they are evaluated on."""

    root: Path
    out: Path
    suite: Suite
    max_rows: int | None = None
    keep_models: bool = False
    _known: dict[str, Known] = field(default_factory=dict)

    def inputs(self, recipe: Recipe) -> Inputs:
        """The recipe with its data, checked."""
        return gather(recipe, self.root, max_rows=self.max_rows)

    def known(self, recipe: Recipe) -> Known:
        """What is known of a recipe before it is trained; its data are read once."""
        key = recipe.digest()
        if key not in self._known:
            inputs = self.inputs(recipe)
            self._known[key] = Known(updates(inputs), inputs.hashes)
        return self._known[key]

    @cached_property
    def rows(self) -> Suite:
        """The suite at the number of rows wanted."""
        return self.suite.limited(self.max_rows)

    @cached_property
    def test_hashes(self) -> dict[str, str]:
        """SHA-256 of all that the suite evaluates on."""
        parts = (self.suite.clean, self.suite.generalized, *self.suite.noisy)
        sources = {one.source: one for part in parts if part for one in part.data}
        return {name: sha for one in sources.values() for name, sha in data.load([one], self.root).hashes.items()}

    def identity(self, recipe: Recipe, hashes: Mapping[str, str], *, tested: bool = True) -> dict[str, Any]:
        """All that decides what becomes of a cell; of a model that is not tested yet, without the test."""
        said = {"recipe": recipe.said(), "training data": dict(hashes), "max_rows": self.max_rows}
        if tested:
            said |= {"suite": asdict(self.rows), "test data": self.test_hashes}
        plain: dict[str, Any] = json.loads(json.dumps(said))
        return plain


@dataclass(frozen=True)
class Cell:
    """One arm under one seed; number is that of the candidate that the arm took."""

    arm: str
    recipe: Recipe
    number: int
    folder: Path

    @property
    def finished(self) -> bool:
        """Whether its evaluation is there."""
        return (self.folder / EVALUATION).is_file()

    @property
    def cost(self) -> Cost:
        """What it cost so far."""
        return Cost.read(self._cost_file)

    def evaluation(self) -> Evaluation:
        """What was found."""
        return Evaluation.read(self.folder / EVALUATION)

    def claim(self, identity: Mapping[str, Any]) -> None:
        """Make the folder this cell's; RunError names what differs if it was begun as another."""
        claim(self.folder / "cell.json", identity)

    def train(self, lab: Lab, console: Console) -> Path:
        """The folder of the trained model; its checkpoints are gone."""
        place, wanted = self._training, lab.known(self.recipe).updates
        model = train(lab.inputs(self.recipe), place, console=console, callbacks=[Stopwatch(self._cost_file)])
        made = tuple(result["steps"] for result in results(self.recipe, place))
        if made != wanted:
            raise RunError(
                f"{self.folder}: the stages made {made} updates where {wanted} were expected; train on one device, so "
                "that arms and controls have as many as their recipes say"
            )
        for checkpoint in place.glob("stages/*/checkpoint-*"):
            shutil.rmtree(checkpoint)
        return model

    def run(self, lab: Lab, console: Console, progress: Progress) -> None:
        """Train and evaluate, unless that was done before."""
        if not self.finished:
            model = self.train(lab, console)
            start = time.perf_counter()
            found = evaluate(
                TorchClassifier(model, self.recipe.max_length, self.recipe.precision),
                lab.rows,
                lab.root,
                name=f"{self.arm}, seed {self.recipe.seed}",
                progress=progress,
            )
            replace(self.cost, evaluation=time.perf_counter() - start).write(self._cost_file)
            found.write(self.folder / EVALUATION)
        self._tidy(lab.keep_models)

    def _tidy(self, keep_model: bool) -> None:
        """Leave evaluation and cost, and the model where it is wanted."""
        model = trained(self.recipe, self._training)
        if keep_model and model.is_dir():
            os.replace(model, self.folder / "model")
        for training in self.folder.glob("training-*"):
            shutil.rmtree(training)

    @property
    def _training(self) -> Path:
        return self.folder / f"training-{self.number}"

    @property
    def _cost_file(self) -> Path:
        return self.folder / f"cost-{self.number}.json"


def updates(inputs: Inputs) -> tuple[int, ...]:
    """Optimiser updates of each stage, on one device."""
    made = []
    for stage, loaded in zip(inputs.recipe.stage, inputs.train, strict=True):
        rows, rng = list(loaded.examples), np.random.default_rng(0)
        for method in stage.objective.methods if not stage.steps else ():
            rows = method.prepare(rows, rng)
        made.append(stage.steps or stage.epochs * ceil(len(rows) / stage.batch))
    return tuple(made)


def claim(path: Path, identity: Mapping[str, Any]) -> None:
    """Write what a result comes from, once; RunError where it was written as something else."""
    if not path.is_file():
        packages = ("babelproof", "torch", "transformers", "tokenizers", "numpy")
        made = {"commit": commit(), "versions": {name: version(name) for name in packages}}
        write_text(path, json.dumps({"identity": identity, "made": made}, indent=1, sort_keys=True) + "\n")
        return
    before = json.loads(path.read_text(encoding="utf-8"))["identity"]
    if differing := list(differences(before, identity)):
        more = f" and {len(differing) - 5} more" if len(differing) > 5 else ""
        raise RunError(
            f"{path.parent} was begun with another {', '.join(differing[:5])}{more}; choose another --out, or remove "
            "that folder to make its cell anew"
        )


def differences(before: Any, now: Any, where: str = "") -> Iterator[str]:
    """Where two values of JSON differ, by name."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            place = f"{where}.{key}" if where else key
            yield from differences(before.get(key, _ABSENT), now.get(key, _ABSENT), place)
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for number, (old, new) in enumerate(zip(before, now, strict=True)):
            yield from differences(old, new, f"{where}[{number}]")
    elif before != now:
        yield where


class Stopwatch(TrainerCallback):
    """Times updates with what is drawn between them, which a stage's first epoch is not; nothing else."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start: float | None = None
        self._seconds, self._updates = 0.0, 0

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self._start is None:
            self._start = time.perf_counter()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        now = time.perf_counter()
        self._seconds, self._updates = self._seconds + now - (self._start or now), self._updates + 1
        self._start = now

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._start = time.perf_counter()

    on_save = on_evaluate

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        Cost.read(self._path).trained(self._updates, self._seconds).write(self._path)
        self._start, self._seconds, self._updates = None, 0.0, 0
