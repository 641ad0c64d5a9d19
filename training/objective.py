"""What one or several methods make of the training rows and of the loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from probes.types import Example
from training import methods
from training.methods import Method
from training.tables import TableError

if TYPE_CHECKING:
    from torch import Tensor

    from training.passes import Passes

Chosen: TypeAlias = str | Mapping[str, Any]
"""A method in a recipe: its name, or a table with `name` and its options."""


def canonical(chosen: Chosen | Sequence[Chosen]) -> tuple[dict[str, Any], ...]:
    """Methods as tables, however the recipe writes them; raises ValueError for one without a name."""
    listed = [chosen] if isinstance(chosen, str | Mapping) else chosen
    tables = tuple({"name": one} if isinstance(one, str) else dict(one) for one in listed)
    if not tables or not all(isinstance(table.get("name"), str) for table in tables):
        raise ValueError('method must name at least one, as "plain" or { name = "plain" } with its options beside it.')
    return tables


class Objective:
    """The methods of a stage, in their order: each prepares the rows of the one before, and all add to the loss."""

    def __init__(self, chosen: Sequence[Mapping[str, Any]]) -> None:
        self.methods: tuple[Method, ...] = tuple(
            methods.build(table["name"], {key: value for key, value in table.items() if key != "name"})
            for table in chosen
        )
        self.names = tuple(str(table["name"]) for table in chosen)
        self.clean_weight = min(method.clean_weight for method in self.methods)
        self.fresh = any(method.fresh for method in self.methods)
        self.files = tuple(path for method in self.methods for path in method.files)

    @property
    def needs_dropout(self) -> tuple[str, ...]:
        """Names of the methods that do nothing in a model without dropout."""
        return tuple(name for name, method in zip(self.names, self.methods, strict=True) if method.needs_dropout)

    def rows(self, examples: Sequence[Example], rng: np.random.Generator) -> tuple[list[Example], list[Example] | None]:
        """The rows of an epoch and, if a method wants one, a second version of each."""
        rows = list(examples)
        for method in self.methods:
            rows = method.prepare(rows, rng)
        views = [view for method in self.methods if (view := method.view(rows, rng)) is not None]
        if len(views) > 1:
            raise TableError(f"of {', '.join(self.names)} more than one takes a second version of every row; take one")
        return rows, views[0] if views else None

    def loss(self, passes: Passes) -> tuple[Tensor, dict[str, Tensor]]:
        """The scalar to minimise on a batch, and its parts by name."""
        parts: dict[str, Tensor] = {}
        passes.clean_weight = self.clean_weight
        for name, method in zip(self.names, self.methods, strict=True):
            if (penalty := method.penalty(passes)) is not None:
                parts[name] = parts[name] + penalty if name in parts else penalty
        if self.clean_weight and not passes.clean_is_spent:
            parts["clean"] = self.clean_weight * passes.cross_entropy(passes.clean)
        if not parts:
            raise TableError(f"{', '.join(self.names)}: nothing to minimise, for no method adds to the loss")
        first, *others = parts.values()
        return sum(others, start=first), parts
