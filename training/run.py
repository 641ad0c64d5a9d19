"""A whole run: recipe and data in, stages trained one after the other, a served model folder with its scores out."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from transformers import AutoTokenizer, PreTrainedModel, TrainerCallback

import runtime
from probes.files import write_text
from probes.types import Example
from runtime import manifest as folders
from training import card, data, head, loop, processes
from training.export import export
from training.inputs import Inputs, RunError
from training.recipe import Recipe
from training.scores import Score, score

_OURS = ("run.json", "stages", "logs", "model", "model.new", "scores.json")
"""What a run writes into its folder, and all that --fresh removes."""
_GATE_ROWS = 40
"""Test rows of each language on which the export is compared with the model."""


@dataclass(frozen=True)
class Finished:
    """What a run made."""

    model: Path
    manifest: folders.Manifest
    scores: tuple[Score, ...]


def run(inputs: Inputs, out: Path, *, resume: bool = True, console: Console | None = None) -> Finished | None:
    """Train, export, score; a run that was cut short goes on where it stopped, unless resume is False.

    None in every process but the first, which alone writes.
    """
    console = console or Console(stderr=True)
    last = train(inputs, out, resume=resume, console=console)
    if not processes.here().is_main_process:
        return None
    console.print("exporting to ONNX, comparing with the model")
    fresh = out / "model.new"
    shutil.rmtree(fresh, ignore_errors=True)
    exported = export(last, fresh, manifest=_manifest(inputs), rows=_gate_rows(inputs), console=console)
    scores = _score(fresh, inputs.test.examples, console)
    manifest = replace(exported, scores={row.lang: folders.Score(row.accuracy, row.low, row.high, row.n)
                                         for row in scores})  # fmt: skip
    (fresh / "README.md").write_text(card.render(inputs.recipe, manifest, results(inputs.recipe, out), scores),
                                     encoding="utf-8")  # fmt: skip
    manifest = folders.write(fresh, manifest)
    shutil.rmtree(out / "model", ignore_errors=True)
    os.replace(fresh, out / "model")
    _write(out / "scores.json", [asdict(row) for row in scores])
    return Finished(out / "model", manifest, scores)


def train(
    inputs: Inputs,
    out: Path,
    *,
    resume: bool = True,
    console: Console | None = None,
    callbacks: Sequence[TrainerCallback] = (),
) -> Path:
    """Train every stage, or go on where that was cut short; the folder of the last stage's torch model."""
    console = console or Console(stderr=True)
    if processes.here().is_main_process:
        _claim(inputs, out, resume)
        for note in inputs.notes:
            console.print(note, markup=False, emoji=False, highlight=False, soft_wrap=True)
    else:
        console = Console(quiet=True)
    processes.here().wait_for_everyone()
    for number in range(len(inputs.recipe.stage)):
        _stage(inputs, number, out, console, callbacks)
        processes.here().wait_for_everyone()
    return trained(inputs.recipe, out)


def trained(recipe: Recipe, out: Path) -> Path:
    """Where the torch model of the last stage is once it is trained."""
    return _stage_folder(recipe, len(recipe.stage) - 1, out) / "model"


def results(recipe: Recipe, out: Path) -> list[dict[str, Any]]:
    """Rows, steps and dev_accuracy of each stage of a trained run."""
    done = [_stage_folder(recipe, number, out) / "done.json" for number in range(len(recipe.stage))]
    return [json.loads(path.read_text(encoding="utf-8")) for path in done]


def _claim(inputs: Inputs, out: Path, resume: bool) -> None:
    """Make the folder this run's; refuse one that another run began, or that is somebody else's altogether."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "run.json"
    if not path.is_file() and any(not found.name.startswith(".run.json.") for found in out.iterdir()):
        raise RunError(f"{out} is not empty and holds no run; choose another --out")
    if not resume:
        for name in _OURS:
            ours = out / name
            shutil.rmtree(ours) if ours.is_dir() else ours.unlink(missing_ok=True)
    if path.is_file():
        if json.loads(path.read_text(encoding="utf-8"))["identity"] != inputs.identity:
            raise RunError(
                f"{out} holds a run of another recipe, encoder, seed or data; "
                "choose another --out, or start over with --fresh"
            )
        return
    versions = {name: version(name) for name in ("torch", "transformers", "tokenizers", "numpy")}
    _write(
        path,
        {
            "identity": inputs.identity,
            "recipe": asdict(inputs.recipe),
            "data": dict(inputs.hashes),
            "max_rows": inputs.max_rows,
            "versions": versions,
        },
    )


def _stage_folder(recipe: Recipe, number: int, out: Path) -> Path:
    return out / "stages" / f"{number + 1}-{recipe.stage[number].name}"


def _stage(inputs: Inputs, number: int, out: Path, console: Console, callbacks: Sequence[TrainerCallback]) -> None:
    """Train one stage unless it was finished before."""
    recipe, stage = inputs.recipe, inputs.recipe.stage[number]
    folder = _stage_folder(recipe, number, out)
    done = folder / "done.json"
    if done.is_file():
        console.print(f"{stage.name}: finished before")
        return
    model = _start(inputs, number, out)
    tokenizer = _tokenizer(inputs.encoder)
    work = loop.Work(
        recipe=recipe,
        stage=stage,
        number=number,
        model=model,
        tokenizer=tokenizer,
        labels=inputs.labels(number),
        train=inputs.train[number].examples,
        dev=inputs.dev[number].examples,
        folder=folder,
        logs=out / "logs" / folder.name,
        console=console,
        callbacks=callbacks,
    )
    result = loop.train(work)
    if not processes.here().is_main_process:
        return
    model.save_pretrained(folder / "model")
    tokenizer.model_max_length = recipe.max_length
    tokenizer.save_pretrained(folder / "model")
    _write(done, result)


def _start(inputs: Inputs, number: int, out: Path) -> PreTrainedModel:
    """The model a stage starts from: the encoder under a new head, or the stage before with or without its head."""
    recipe = inputs.recipe
    seed = recipe.seed + number
    if number == 0:
        return head.build(
            inputs.encoder,
            inputs.labels(0),
            pooling=recipe.pooling,
            dropout=recipe.dropout,
            seed=seed,
            tokenizer=_tokenizer(inputs.encoder),
        )
    before = head.load(_stage_folder(recipe, number - 1, out) / "model")
    return before if recipe.stage[number].head == "keep" else head.renewed(before, inputs.labels(number), seed)


def _tokenizer(encoder: str) -> Any:
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    if not tokenizer.is_fast:
        raise RunError(f"the encoder {encoder} has no tokenizer.json; models are served from one")
    tokenizer.padding_side = "right"
    return tokenizer


def _manifest(inputs: Inputs) -> folders.Manifest:
    recipe, rows = inputs.recipe, inputs.test if inputs.test.examples else inputs.train[-1]
    return folders.Manifest(
        labels=inputs.labels(len(recipe.stage) - 1),
        languages=tuple(sorted({row.lang for row in rows.examples})),
        max_length=recipe.max_length,
        # a folder of this machine is nobody else's business
        encoder=Path(recipe.encoder).name if Path(recipe.encoder).is_absolute() else recipe.encoder,
        licence=recipe.licence,
        pairs=any(row.item.pair is not None for row in inputs.train[-1].examples),
        recipe_sha256=recipe.digest(),
        data_sha256=dict(sorted(inputs.hashes.items())),
        onnx=folders.Onnx(precision=recipe.weights),
        variants=tuple(folders.Onnx(precision=one) for one in recipe.keep),
        smoothing=_smoothing(inputs) if recipe.smoothing else None,
    )


def _smoothing(inputs: Inputs) -> folders.Smoothing:
    return folders.Smoothing(inputs.recipe.smoothing, tuple(head.special_ids(_tokenizer(inputs.encoder))))


def _gate_rows(inputs: Inputs) -> list[Example]:
    """Some rows of every language of the test, or of the last training set."""
    rows = inputs.test if inputs.test.examples else inputs.train[-1]
    return list(data.limited(rows, _GATE_ROWS, np.random.default_rng(inputs.recipe.seed)).examples)


def _score(folder: Path, examples: Sequence[Example], console: Console) -> tuple[Score, ...]:
    if not examples:
        return ()
    console.print(f"scoring the exported model on {len(examples)} test rows")
    classifier = runtime.load(folder)
    try:
        return score(classifier, examples)
    finally:
        classifier.close()


def _write(path: Path, content: Any) -> None:
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
