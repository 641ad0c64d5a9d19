"""Choosing between the candidates of an arm by English dev alone, clean and noisy, under the first seed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from probes.files import write_text
from training.classifier import TorchClassifier
from training.comparison.cells import Cell, Lab, Progress, differences
from training.comparison.plan import PlanError
from training.evaluation import Evaluation, Suite, evaluate
from training.evaluation.outcomes import UNTRIED
from training.evaluation.suite import Noisy, Rows
from training.inputs import RunError
from training.recipe import Recipe

CRITERION = (
    "the mean of two accuracies on English dev texts: clean (at most 1,000 texts), and right before and after under "
    "the battery `noise` (at most 200 texts, 13 kinds of noise, 2 draws each); of equals the first"
)
_ROWS, _NOISY_ROWS = 1000, 200


@dataclass(frozen=True)
class Trial:
    """What a candidate was worth on English dev; n and noisy_n are judgements."""

    clean: float
    n: int
    noisy: float
    noisy_n: int

    @property
    def score(self) -> float:
        """What candidates are chosen by."""
        return (self.clean + self.noisy) / 2


NOTHING = Trial(0.0, 0, 0.0, 0)
"""Of a candidate whose training diverged."""


def read(path: Path, identity: Mapping[str, Any]) -> Trial | None:
    """The trial in a file, if there is one; RunError if it is that of another candidate."""
    if not path.is_file():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    if differing := list(differences(found["identity"], identity)):
        raise RunError(
            f"{path} is the trial of another {', '.join(differing[:5])}; choose another --out, or remove {path.parent}"
        )
    return Trial(**found["trial"])


def write(path: Path, identity: Mapping[str, Any], trial: Trial) -> None:
    """Keep a trial with what it was a trial of."""
    said = {"identity": identity, "trial": asdict(trial)}
    write_text(path, json.dumps(said, indent=1, sort_keys=True) + "\n")


def attempt(cell: Cell, model: Path, lab: Lab, progress: Progress) -> Trial:
    """Measure a trained candidate on the English dev texts of its last stage."""
    classifier = TorchClassifier(model, cell.recipe.max_length, cell.recipe.precision)
    suite = _suite(cell.recipe).limited(lab.max_rows)
    found = evaluate(classifier, suite, lab.root, name=cell.arm, progress=progress)
    return Trial(*_accuracy(found, "clean"), *_accuracy(found, "noisy:noise"))


def _suite(recipe: Recipe) -> Suite:
    sources = recipe.stage[-1].dev
    if not sources:
        raise PlanError(f"{recipe.name} has several candidates and no dev data to choose by; name some under dev")
    return Suite(
        name="english-dev",
        clean=Rows(sources, languages=("en",), rows=_ROWS),
        noisy=(Noisy("noise", battery="noise", rows=_NOISY_ROWS),),
    )


def _accuracy(found: Evaluation, part: str) -> tuple[float, int]:
    right = [one.right for one in found.judged if one.part == part and one.status not in UNTRIED]
    return sum(right) / max(1, len(right)), len(right)
