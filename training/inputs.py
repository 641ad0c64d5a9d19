"""What a run goes in with: recipe, encoder and data, found, loaded, hashed and checked before anything is trained."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training import data
from training.recipe import Recipe, RecipeError


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
    notes: tuple[str, ...] = ()
    """Where the rows came from, a line for each source."""

    @property
    def identity(self) -> str:
        """SHA-256 of all that decides the result."""
        said = [self.recipe.digest(), dict(self.hashes), self.max_rows]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def labels(self, number: int) -> tuple[str, ...]:
        """Label names of a stage, in the order of its outputs."""
        return self.recipe.stage[number].labels or self.train[number].labels


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
        for path in stage.objective.files:
            hashes[f"{path.parent.name}/{path.name}"] = _digest(path)
    for path in sorted(Path(encoder).glob("*")) if Path(encoder).is_dir() else ():
        if path.suffix in (".safetensors", ".bin", ".json"):
            hashes[f"encoder/{path.name}"] = _digest(path)
    notes = dict.fromkeys(note for loaded in (*train, *dev, test) for note in loaded.notes)
    inputs = Inputs(recipe, encoder, train, dev, test, hashes, max_rows, (*notes, *_smoothing_notes(recipe)))
    _check_labels(inputs)
    _check_languages(inputs)
    return inputs


def _smoothing_notes(recipe: Recipe) -> list[str]:
    """A line if the model is to be smoothed with noise that its last stage does not train under."""
    wanted = {"distribution": "gaussian", "scale": recipe.smoothing, "unit": "absolute", "place": "embeddings"}
    methods = recipe.stage[-1].objective.methods
    if not recipe.smoothing or any(
        all(getattr(method, name, None) == value for name, value in wanted.items()) for method in methods
    ):
        return []
    sigma = f"{recipe.smoothing:g}"
    return [
        f"smoothing = {sigma}, but the last stage does not train under that noise, so certified radii will be small; "
        f'give it method = {{ name = "random-perturbation", unit = "absolute", scale = {sigma} }}'
    ]


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
        last = [inputs.test] if stage is recipe.stage[-1] else []
        try:
            data.check_labels(labels, inputs.train[number], inputs.dev[number], *last)
        except data.DataError as error:
            raise RecipeError(f"stage {stage.name!r}: {error}") from error


def _check_languages(inputs: Inputs) -> None:
    """Languages that the recipe lists must have test rows; those of an encoder need not."""
    listed = inputs.recipe.test.languages
    missing = [] if isinstance(listed, str) else sorted(set(listed) - {row.lang for row in inputs.test.examples})
    if missing:
        raise RecipeError(
            f"test: no rows in {', '.join(missing)}; take them out of languages, or name data that have them"
        )


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error
