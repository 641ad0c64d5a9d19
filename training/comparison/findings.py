"""What the finished cells of a comparison come to, arm by arm; only one arm and its control are held in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from training.comparison.cells import Cell
from training.comparison.cost import Cost
from training.comparison.matrix import Matrix, Settled
from training.comparison.results import Against, Own, against, judged_together, own
from training.evaluation.rendering import Report as ArmReport
from training.evaluation.runs import Runs


@dataclass(frozen=True)
class Finding:
    """One arm: what it is, the seeds that are there, and what they show."""

    arm: Settled
    seeds: tuple[int, ...]
    costs: tuple[Cost, ...]
    own: Own | None
    """None where no seed is there."""
    against: Against | None
    """None for the baseline and for controls, and where arm and control have no seed in common."""
    paired: tuple[int, ...] = ()
    """Seeds that arm and control have in common."""


@dataclass(frozen=True)
class Findings:
    """All arms, the baseline first, with what is missing and where it all comes from."""

    name: str
    arms: tuple[Finding, ...]
    missing: tuple[str, ...]
    draws: int
    provenance: Mapping[str, Any]

    @property
    def compared(self) -> dict[str, Against]:
        """The arms that are held against a control, by name."""
        return {one.arm.name: one.against for one in self.arms if one.against}


def findings(matrix: Matrix, *, command: str, draws: int, reports: Path) -> Findings:
    """What is there of a comparison; `reports` is where every arm's own evaluation report goes."""
    arms = tuple(matrix.arms())
    there = {arm.name: _finished(matrix, arm) for arm in arms}
    found = {arm.name: _finding(arm, there, draws, reports) for arm in arms}
    for name, one in judged_together({name: one.against for name, one in found.items() if one.against}).items():
        found[name] = replace(found[name], against=one)
    missing = [f"{arm.name}, seed {seed}" for arm in arms for seed in matrix.seeds if seed not in there[arm.name]]
    missing += [f"{arm.name}: a candidate not tried" for arm in matrix.comparison.arms if arm.name not in there]
    cells = [cell for own in there.values() for cell in own.values()]
    provenance = _provenance(matrix, arms, cells) | {"command": command, "draws of differences": draws}
    return Findings(matrix.comparison.name, tuple(found.values()), tuple(missing), draws, provenance)


def _finished(matrix: Matrix, arm: Settled) -> dict[int, Cell]:
    """The finished cells by seed; RunError for one that was made as something else."""
    cells = [cell for cell in matrix.cells(arm) if cell.finished]
    for cell in cells:
        cell.claim(matrix.lab.identity(cell.recipe, arm.hashes))
    return {cell.recipe.seed: cell for cell in cells}


def _finding(arm: Settled, there: Mapping[str, Mapping[int, Cell]], draws: int, reports: Path) -> Finding:
    cells = there[arm.name]
    if not cells:
        return Finding(arm, (), (), None, None)
    runs = {seed: cell.evaluation() for seed, cell in cells.items()}
    ArmReport.of(Runs(list(runs.values()))).write(reports / arm.name)
    paired = () if arm.is_control else tuple(seed for seed in runs if seed in there[arm.control])
    changed = None
    if paired:
        controls = [there[arm.control][seed].evaluation() for seed in paired]
        changed = against([runs[seed] for seed in paired], controls, draws=draws)
    costs = tuple(cell.cost for cell in cells.values())
    return Finding(arm, tuple(runs), costs, own(list(runs.values())), changed, paired)


def _provenance(matrix: Matrix, arms: tuple[Settled, ...], cells: list[Cell]) -> dict[str, Any]:
    """Everything needed to run it again."""
    lab = matrix.lab
    made = [json.loads((cell.folder / "cell.json").read_text(encoding="utf-8"))["made"] for cell in cells]
    said = {
        "commits": sorted({one["commit"] for one in made}),
        "versions": [dict(one) for one in sorted({tuple(sorted(one["versions"].items())) for one in made})],
        "seeds": matrix.seeds,
        "max_rows": lab.max_rows,
        "training data": {name: digest for arm in arms for name, digest in arm.hashes.items()},
        "test data": lab.test_hashes,
        "suite": asdict(lab.rows),
        "arms": {arm.name: {"recipe": asdict(arm.recipe), "updates": arm.updates, "control": arm.control}
                 for arm in arms},
    }  # fmt: skip
    plain: dict[str, Any] = json.loads(json.dumps(said))
    return plain
