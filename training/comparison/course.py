"""How far a comparison is: a bar over its cells with the time that is left, and one over the evaluation that runs."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from training.comparison.cost import remaining, spoken


class Course:
    """The bars, while cells are made; waiting counts the cells to come of each arm."""

    def __init__(self, console: Console, waiting: Mapping[str, int]) -> None:
        self.console = console
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
        )
        self._bar = Progress(*columns, console=console)
        self._total = sum(waiting.values())
        self._cells = self._bar.add_task("cells", total=self._total, left="")
        self._part: TaskID | None = None
        self._waiting = dict(waiting)
        self._done: dict[str, list[float]] = {}

    def __enter__(self) -> Course:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def more(self, arm: str, cells: int) -> None:
        """Cells of a control that nobody knew of before."""
        self._waiting[arm] = cells
        self._total += cells
        self._bar.update(self._cells, total=self._total)

    def begins(self, what: str) -> None:
        """A training or an evaluation starts."""
        self._clear()
        left = remaining(self._done, self._waiting)
        self._bar.update(self._cells, description=what, left=f"about {spoken(left)} left" if left else "")

    def part(self, name: str, done: int, total: int) -> None:
        """How far the evaluation is."""
        if self._part is None:
            self._part = self._bar.add_task(name, left="")
        self._bar.update(self._part, description=name, completed=done, total=total)

    def ends(self, arm: str, seconds: float) -> None:
        """A cell is there, and what it cost."""
        self._clear()
        self._waiting[arm] -= 1
        self._done.setdefault(arm, []).append(seconds)
        self._bar.advance(self._cells)

    def _clear(self) -> None:
        if self._part is not None:
            self._bar.remove_task(self._part)
            self._part = None
