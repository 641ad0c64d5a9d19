"""What training costs: seconds and updates of a cell, and how long the cells to come will take."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

from probes.files import write_text


@dataclass(frozen=True)
class Cost:
    """Updates that were timed, their seconds (without dev evaluations and checkpoints), and those of the evaluation."""

    updates: int = 0
    training: float = 0.0
    evaluation: float = 0.0

    @classmethod
    def read(cls, path: Path) -> Cost:
        """The cost in a file; nothing where there is none."""
        return cls(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else cls()

    def write(self, path: Path) -> None:
        write_text(path, json.dumps(asdict(self)) + "\n")

    def trained(self, updates: int, seconds: float) -> Cost:
        """With a further stretch of training; a run that was cut short has several."""
        return replace(self, updates=self.updates + updates, training=self.training + seconds)

    @property
    def per_update(self) -> float | None:
        """Seconds of an update; None where none was timed."""
        return self.training / self.updates if self.updates else None

    def cell(self, updates: int) -> float:
        """Seconds of a whole cell of so many updates."""
        return updates * (self.per_update or 0.0) + self.evaluation


def remaining(done: Mapping[str, Sequence[float]], waiting: Mapping[str, int]) -> float | None:
    """Seconds the waiting cells of each arm will take: what its done ones took, those of all arms where it has none."""
    known = [seconds for own in done.values() for seconds in own]
    if not known:
        return None
    return sum(count * median(done.get(arm) or known) for arm, count in waiting.items())


def spoken(seconds: float) -> str:
    """A duration as a person says it."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"
