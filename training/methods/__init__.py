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
    from torch import Tensor, nn


class Method(Protocol):
    """A way to train: a frozen dataclass whose fields are its options in the recipe."""

    @property
    def fresh(self) -> bool:
        """Whether `prepare` draws anew for every epoch; else its rng is the same every time."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Files the method reads; their digests go into the manifest."""

    def prepare(self, examples: Sequence[Example], rng: np.random.Generator) -> list[Example]:
        """The examples one epoch trains on; as many at every epoch."""

    def loss(self, model: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """The scalar to minimise on a batch of model inputs with `labels`."""


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
