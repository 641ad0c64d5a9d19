"""A whole run: recipe and data in, stages trained one after the other, a served model folder with its scores out."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from transformers import AutoTokenizer, PreTrainedModel

import runtime
from probes.types import Example
from runtime import manifest as folders
from training import card, data, head, loop, methods
from training.export import export
from training.recipe import Recipe, RecipeError
from training.scores import Score, score

_OURS = ("run.json", "stages", "logs", "model", "model.new", "scores.json")
"""What a run writes into its folder, and all that --fresh removes."""
_GATE_ROWS = 40
"""Test rows of each language on which the export is compared with the model."""


class RunError(ValueError):
    """A run that cannot start or go on, and what to do."""


@dataclass(frozen=True)
class Inputs:
    """A run as asked for: recipe with its overrides applied, data, encoder and limits."""

    recipe: Recipe
    encoder: str
    """Folder or hub name the encoder is loaded from."""
    train: tuple[data.Loaded, ...]
    dev: tuple[data.Loaded, ...]
    test: data.Loaded
    hashes: Mapping[str, str]
    max_rows: int | None = None

    @property
    def identity(self) -> str:
        """SHA-256 of all that decides the result."""
        said = [self.recipe.digest(), dict(self.hashes), self.max_rows]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def labels(self, number: int) -> tuple[str, ...]:
        """Label names of a stage, in the order of its outputs."""
        return self.recipe.stage[number].labels or self.train[number].labels


@dataclass(frozen=True)
class Finished:
    """What a run made."""

    model: Path
    manifest: folders.Manifest
    scores: tuple[Score, ...]


def gather(recipe: Recipe, root: Path, *, max_rows: int | None = None) -> Inputs:
    """Find encoder and data, check that labels fit together; raises before anything is trained."""
    encoder = find_encoder(recipe.encoder)
    rng = np.random.default_rng(recipe.seed)

    def load(sources: Sequence[data.Source], languages: Sequence[str] | None = None) -> data.Loaded:
        return data.limited(data.load(sources, root, languages), max_rows, rng)

    train = tuple(load(stage.data) for stage in recipe.stage)
    dev = tuple(load(stage.dev) for stage in recipe.stage)
    test = load(recipe.test.data, _test_languages(recipe, encoder))
    hashes = {name: digest for loaded in (*train, *dev, test) for name, digest in loaded.hashes.items()}
    for stage in recipe.stage:
        for path in methods.build(stage.method, stage.options).files:
            hashes[path.name] = _digest(path)
    for path in sorted(Path(encoder).glob("*")) if Path(encoder).is_dir() else ():
        if path.suffix in (".safetensors", ".bin", ".json"):
            hashes[f"encoder/{path.name}"] = _digest(path)
    inputs = Inputs(recipe, encoder, train, dev, test, hashes, max_rows)
    _check_labels(inputs)
    return inputs


def run(inputs: Inputs, out: Path, *, resume: bool = True, console: Console | None = None) -> Finished:
    """Train, export, score; a run that was cut short goes on where it stopped, unless resume is False."""
    console = console or Console(stderr=True)
    _claim(inputs, out, resume)
    results = [_stage(inputs, number, out, console) for number in range(len(inputs.recipe.stage))]
    last = _stage_folder(inputs.recipe, len(results) - 1, out) / "model"
    console.print("exporting to ONNX, comparing with the model")
    fresh = out / "model.new"
    shutil.rmtree(fresh, ignore_errors=True)
    exported = export(last, fresh, manifest=_manifest(inputs), rows=_gate_rows(inputs), console=console)
    scores = _score(fresh, inputs.test.examples, console)
    manifest = replace(exported, scores={row.lang: folders.Score(row.accuracy, row.low, row.high, row.n)
                                         for row in scores})  # fmt: skip
    (fresh / "README.md").write_text(card.render(inputs.recipe, manifest, results, scores), encoding="utf-8")
    manifest = folders.write(fresh, manifest)
    shutil.rmtree(out / "model", ignore_errors=True)
    os.replace(fresh, out / "model")
    _write(out / "scores.json", [asdict(row) for row in scores])
    return Finished(out / "model", manifest, scores)


def find_encoder(name: str) -> str:
    """The folder of that name, here or beside this package, else the name for the hub."""
    for path in (Path(name), Path(__file__).parent.parent / name):
        if (path / "config.json").is_file():
            return str(path)
    if Path(name).exists() or name.startswith(("models/", ".", "/")):
        raise RunError(f"the encoder {name!r} is no folder with a config.json; make one with `babelproof-train align` "
                       "or name another, a folder or a hub name, with --encoder")  # fmt: skip
    return name


def _test_languages(recipe: Recipe, encoder: str) -> Sequence[str] | None:
    """None for all; those the encoder folder lists in languages.json, all if it lists none."""
    if recipe.test.languages == "all":
        return None
    if recipe.test.languages != "encoder":
        return recipe.test.languages
    path = Path(encoder) / "languages.json"
    if not path.is_file():
        return None
    listed = json.loads(path.read_text(encoding="utf-8"))
    return [str(code) for code in listed]


def _check_labels(inputs: Inputs) -> None:
    recipe = inputs.recipe
    for number, stage in enumerate(recipe.stage):
        labels = inputs.labels(number)
        if len(labels) < 2:
            raise RecipeError(f"stage {stage.name!r}: its data have the single label {', '.join(labels)}")
        kept = stage.head == "keep" and number > 0
        if kept and labels != (before := inputs.labels(number - 1)):
            raise RecipeError(
                f"stage {stage.name!r} keeps the head of the stage before, whose labels are {', '.join(before)}; "
                f'its own are {", ".join(labels)}. Write head = "drop", or the same labels'
            )
        known = (*inputs.train[number].labels, *inputs.dev[number].labels)
        last = inputs.test.labels if stage is recipe.stage[-1] else ()
        for label in (*known, *last):
            if label not in labels:
                raise RecipeError(f"stage {stage.name!r}: the data have the label {label!r}, "
                                  f"the model would know {', '.join(labels)}")  # fmt: skip


def _claim(inputs: Inputs, out: Path, resume: bool) -> None:
    """Make the folder this run's; refuse one that another run began, or that is somebody else's altogether."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "run.json"
    if not path.is_file() and any(out.iterdir()):
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


def _stage(inputs: Inputs, number: int, out: Path, console: Console) -> dict[str, Any]:
    """Train one stage, or read what it came to if it was finished before."""
    recipe, stage = inputs.recipe, inputs.recipe.stage[number]
    folder = _stage_folder(recipe, number, out)
    done = folder / "done.json"
    if done.is_file():
        console.print(f"{stage.name}: finished before")
        finished: dict[str, Any] = json.loads(done.read_text(encoding="utf-8"))
        return finished
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
    )
    result = loop.train(work)
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    _write(done, result)
    return result


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
    )


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
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(temporary, path)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error
