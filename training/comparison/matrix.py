"""All cells of a comparison in their order: the baseline, then each arm behind the control of as many updates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from rich.console import Console
from rich.markup import escape

from training.comparison import tuning
from training.comparison.cells import Cell, Lab
from training.comparison.course import Course
from training.comparison.plan import Arm, Comparison, PlanError, control
from training.comparison.tuning import Trial
from training.recipe import Recipe
from training.trainer import Diverged


@dataclass(frozen=True)
class Settled:
    """An arm whose recipe is chosen and whose updates are counted."""

    name: str
    recipe: Recipe
    updates: tuple[int, ...]
    """Of each stage."""
    control: str
    """The plain arm of as many updates that it is held against; its own name for the baseline and for controls."""
    hashes: Mapping[str, str]
    number: int = 1
    """Of the candidate taken."""
    candidates: tuple[str, ...] = ()
    """What sets each apart, where there are several."""
    trials: tuple[Trial, ...] = ()

    @property
    def is_control(self) -> bool:
        """Whether others are held against it."""
        return self.control == self.name


class Matrix:
    """A comparison under seeds that count up from that of the baseline's recipe."""

    def __init__(self, comparison: Comparison, lab: Lab, seeds: int) -> None:
        first = comparison.arms[0].candidates[0].seed
        self.comparison, self.lab = comparison, lab
        self.seeds = tuple(range(first, first + seeds))
        self._progress: Course | None = None

    def run(self, console: Console) -> None:
        """Make every cell that is not there yet; one whose training diverges stays away, and the others go on."""
        waiting = {arm.name: len(self.seeds) for arm in self.comparison.arms}
        with Course(console, waiting) as self._progress:
            for arm in self.arms():
                for cell in self.cells(arm):
                    cell.claim(self.lab.identity(cell.recipe, arm.hashes))
                    self._progress.begins(f"{arm.name}, seed {cell.recipe.seed}")
                    try:
                        cell.run(self.lab, console, self._progress.part)
                    except Diverged as error:
                        console.print(f"[yellow]{arm.name}, seed {cell.recipe.seed}: {escape(str(error))}[/]")
                    self._progress.ends(arm.name, cell.cost.cell(sum(arm.updates)))
        self._progress = None

    def arms(self) -> Iterator[Settled]:
        """Every arm that is settled, and the controls; candidates are tried on the way while the matrix runs."""
        first, *others = self.comparison.arms
        baseline = self._settle(first)
        if baseline is None:
            return
        yield baseline
        controls = {sum(baseline.updates): baseline.name}
        for found in filter(None, map(self._settle, others)):
            wanted = sum(found.updates)
            if wanted not in controls:
                name = controls[wanted] = f"{baseline.name}-{wanted}"
                if name in (arm.name for arm in others):
                    raise PlanError(f"the arm {name!r} has the name of the control of {wanted} updates; rename it")
                if self._progress:
                    self._progress.more(name, len(self.seeds))
                yield self._known(name, control(baseline.recipe, baseline.updates, wanted, name))
            yield replace(found, control=controls[wanted])

    def cells(self, arm: Settled) -> list[Cell]:
        """The arm under every seed."""
        folder = self.lab.out / "cells" / arm.name
        return [Cell(arm.name, replace(arm.recipe, seed=seed), arm.number, folder / str(seed)) for seed in self.seeds]

    def _settle(self, arm: Arm) -> Settled | None:
        """The arm with the candidate that English dev takes; None where one was not tried yet and nothing runs."""
        known = [self._known(arm.name, recipe, number) for number, recipe in enumerate(arm.candidates, 1)]
        if len(known) == 1:
            return known[0]
        trials = tuple(trial for one in known if (trial := self._trial(one)))
        if len(trials) < len(known):
            return None
        best = max(range(len(trials)), key=lambda place: trials[place].score)
        return replace(known[best], trials=trials, candidates=arm.told_apart)

    def _known(self, name: str, recipe: Recipe, number: int = 1) -> Settled:
        known = self.lab.known(replace(recipe, seed=self.seeds[0]))
        return Settled(name, recipe, known.updates, name, known.hashes, number)

    def _trial(self, found: Settled) -> Trial | None:
        """The trial of a candidate, made if it is not there and the matrix runs."""
        cell = self.cells(found)[0]
        path = cell.folder / f"candidate-{found.number}.json"
        identity = self.lab.identity(cell.recipe, found.hashes, tested=False)
        trial = tuning.read(path, identity)
        if trial is None and self._progress:
            self._progress.begins(f"{found.name}, candidate {found.number}")
            try:
                model = cell.train(self.lab, self._progress.console)
                trial = tuning.attempt(cell, model, self.lab, self._progress.part)
            except Diverged:
                trial = tuning.NOTHING
            tuning.write(path, identity, trial)
        return trial
