"""Training methods, one file each: what they do to the examples and to the loss. The folder is the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from probes.registry import Registry, UnknownName, load_object
from probes.types import Example
from training.tables import TableError, read

if TYPE_CHECKING:
    from torch import Tensor

    from training.passes import Passes


class Method(Protocol):
    """A way to train: a frozen dataclass whose fields are its options in the recipe. Plain has every default."""

    @property
    def clean_weight(self) -> float:
        """Weight of the clean cross-entropy; of several methods the least counts."""

    @property
    def fresh(self) -> bool:
        """Whether `prepare` and `view` draw anew for every epoch; else their rng is the same every time."""

    @property
    def needs_dropout(self) -> bool:
        """Whether the method does nothing in a model without dropout."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Files the method reads; their digests go into the manifest."""

    def prepare(self, examples: Sequence[Example], rng: np.random.Generator) -> list[Example]:
        """The examples one epoch trains on; as many at every epoch."""

    def view(self, examples: Sequence[Example], rng: np.random.Generator) -> list[Example] | None:
        """A second version of every prepared example, seen in the same batch; None if the method wants none."""

    def penalty(self, passes: Passes) -> Tensor | None:
        """What the method adds to the weighted clean cross-entropy, a scalar; None for nothing."""


registry: Registry[type[Method]] = Registry("method", __name__)


def names() -> tuple[str, ...]:
    """Names of the methods that ship."""
    return registry.names()


def build(name: str, options: Mapping[str, Any]) -> Method:
    """The method of that name, or "their.module:Class", with its options; unknown ones are refused by name."""
    try:
        kind = load_object(name) if ":" in name else registry.get(name)
    except UnknownName as error:
        raise TableError(str(error)) from error
    return read(kind, options, f"options of the method {name!r}")


def describe(name: str) -> str:
    """One line about a method."""
    return (registry.get(name).__doc__ or "").strip().splitlines()[0]
