"""Plain fine-tuning: the control every other method is compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from probes.types import Example
from training.methods import registry

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Plain:
    """The examples as they are, the model's own cross-entropy."""

    @property
    def fresh(self) -> bool:
        """The same rows for every epoch."""
        return False

    @property
    def files(self) -> tuple[Path, ...]:
        """None."""
        return ()

    def prepare(self, examples: Sequence[Example], rng: np.random.Generator) -> list[Example]:
        """The examples themselves."""
        return list(examples)

    def loss(self, model: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Mean cross-entropy of a batch, a scalar."""
        return model(**batch).loss


registry.add("plain", Plain)
