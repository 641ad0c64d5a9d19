"""Plain fine-tuning: the control every other method is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from probes.types import Example
from training.methods import registry

if TYPE_CHECKING:
    from torch import Tensor

    from training.passes import Passes


@dataclass(frozen=True)
class Plain:
    """The examples as they are, cross-entropy alone."""

    clean_weight = 1.0

    @property
    def fresh(self) -> bool:
        """The same rows for every epoch."""
        return False

    @property
    def needs_dropout(self) -> bool:
        """It does not."""
        return False

    @property
    def files(self) -> tuple[Path, ...]:
        """None."""
        return ()

    def prepare(self, examples: Sequence[Example], rng: np.random.Generator) -> list[Example]:
        """The examples themselves."""
        return list(examples)

    def view(self, examples: Sequence[Example], rng: np.random.Generator) -> list[Example] | None:
        """None."""
        return None

    def penalty(self, passes: Passes) -> Tensor | None:
        """None."""
        return None


registry.add("plain", Plain)
