"""Recipes: what a training run is made of, read from strict TOML."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from probes.registry import unknown
from training.data import Source
from training.objective import Chosen, Objective, canonical
from training.tables import TableError, named, open_toml, read

_SHIPPED = Path(__file__).parent / "recipes"


Kept = Literal["fp32", "fp16"]


class RecipeError(TableError):
    """A recipe that cannot be found, read or run."""


@dataclass(frozen=True)
class Stage:
    """One round of fine-tuning; several are intermediate-task training (Phang et al. 2020, arXiv 2005.13013)."""

    name: str
    data: tuple[Source, ...]
    dev: tuple[Source, ...] = ()
    labels: tuple[str, ...] = ()
    """Label names in the order of the outputs; empty: the sorted labels of the data."""
    method: Chosen | tuple[Chosen, ...] = "plain"
    """One method or several; read as a tuple of tables, each with the method's name and its options."""
    epochs: int = 3
    steps: int = 0
    """Optimiser updates; 0: as many as epochs make."""
    batch: int = 32
    learning_rate: float = 5e-5
    head_learning_rate: float | None = None
    """Learning rate of the classification head; absent: learning_rate."""
    weight_decay: float = 0.0
    warmup: float = 0.1
    """Share of the steps in which the learning rate rises."""
    schedule: Literal["linear", "cosine", "constant_with_warmup"] = "linear"
    freeze_embeddings: bool = False
    """Keep the word embeddings as they are: pieces that English training text never shows stay where they were."""
    head: Literal["keep", "drop"] = "keep"
    patience: int = 0
    """Evaluations on dev without improvement before the stage stops; 0: never early."""
    evaluate_every: int = 0
    """Steps between evaluations (and checkpoints); 0: at the end of every epoch."""

    def __post_init__(self) -> None:
        if not self.name or "/" in self.name:
            raise ValueError(f"name must be non-empty and without '/', not {self.name!r}.")
        if not self.data:
            raise ValueError("data must name at least one source.")
        for key, low in (("epochs", 1), ("steps", 0), ("batch", 1), ("patience", 0), ("evaluate_every", 0)):
            if getattr(self, key) < low:
                raise ValueError(f"{key} must be at least {low}, not {getattr(self, key)}.")
        if self.learning_rate <= 0 or (self.head_learning_rate or 1) <= 0:
            raise ValueError("learning rates must be above 0.")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup is a share of the steps, 0 up to 1, not {self.warmup}.")
        if self.patience and not self.dev:
            raise ValueError("patience needs dev data to watch; name some under dev.")
        object.__setattr__(self, "method", canonical(self.method))
        _ = self.objective

    @property
    def objective(self) -> Objective:
        """What the methods make of rows and loss."""
        return Objective(canonical(self.method))


@dataclass(frozen=True)
class Scoring:
    """The texts the finished model is scored on, language by language."""

    data: tuple[Source, ...] = ()
    languages: Literal["all", "encoder"] | tuple[str, ...] = "all"
    """Languages to score: all in the files, those the encoder was made for, or a list."""


@dataclass(frozen=True)
class Recipe:
    """Encoder, stages and test: all that a run depends on besides the data and the seed of the machine's clock."""

    name: str
    stage: tuple[Stage, ...]
    description: str = ""
    encoder: str = "models/encoder"
    max_length: int = 128
    pooling: Literal["mean", "pair", "cls"] = "mean"
    """mean and pair: our linear head on mean-pooled states; cls: the encoder's own sequence-classification head."""
    dropout: float = 0.0
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    weights: Literal["int8", "fp32"] = "int8"
    """Precision of the exported model."""
    keep: tuple[Kept, ...] = ()
    """Precisions written beside it, for backends that are faster with them: fp32 (OpenVINO), fp16 (GPUs)."""
    smoothing: float = 0.0
    """Standard deviation of noise on word embeddings; above 0 the graphs that noisy passes need are exported too.
    Training under that noise is up to the method."""
    seed: int = 7
    licence: str = "not stated"
    licences: Mapping[str, str] = field(default_factory=dict)
    """Licence of each data set, by the part of its source before the first colon."""
    test: Scoring = Scoring()

    def __post_init__(self) -> None:
        if not self.stage:
            raise ValueError("a recipe needs at least one [[stage]].")
        names = [stage.name for stage in self.stage]
        if len(set(names)) < len(names):
            raise ValueError(f"stage names must differ: {', '.join(names)}.")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be 0 up to 1, not {self.dropout}.")
        for stage in self.stage:
            if not self.dropout and (idle := stage.objective.needs_dropout):
                raise ValueError(f"stage {stage.name!r}: {', '.join(idle)} needs dropout above 0 to have any effect.")
        if not self.smoothing >= 0:
            raise ValueError(f"smoothing is a standard deviation, 0 or above, not {self.smoothing}.")
        if self.max_length < 8:
            raise ValueError(f"max_length must be at least 8 tokens, not {self.max_length}.")
        used = {source.set_name for source in self.sources()}
        for name in self.licences:
            if name not in used:
                raise ValueError(f"licences: {unknown('source', name, used)}")

    def sources(self) -> tuple[Source, ...]:
        """Every source of the recipe, in the order of use."""
        staged = (source for stage in self.stage for source in (*stage.data, *stage.dev))
        return (*staged, *self.test.data)

    def said(self) -> dict[str, Any]:
        """What the recipe says; nothing of `keep` where nothing is kept, as before there was that word."""
        return {key: value for key, value in asdict(self).items() if value or key != "keep"}

    def digest(self) -> str:
        """SHA-256 of the canonical recipe; the same for any two files that say the same."""
        canonical = json.dumps(self.said(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def names() -> tuple[str, ...]:
    """Names of the recipes that ship."""
    return named(_SHIPPED)


def parse(table: Mapping[str, Any], where: str) -> Recipe:
    """The recipe a table describes; raises TableError that begins with `where`."""
    return read(Recipe, table, where)


def load(name_or_path: str | Path) -> Recipe:
    """The recipe in a TOML file, or the shipped recipe of that name."""
    return parse(*open_toml("recipe", name_or_path, _SHIPPED, RecipeError))
