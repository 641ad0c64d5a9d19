"""What is compared: arms, each a recipe or several candidates for one, and the arm they are held against."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from probes.registry import unknown
from training import recipe as recipes
from training.evaluation import suite as suites
from training.evaluation.suite import Suite
from training.recipe import Recipe, Scoring, Stage
from training.tables import TableError, named, open_toml, read

_SHIPPED = Path(__file__).parent.parent / "comparisons"
_ARM = re.compile(r"[\w][\w.+-]*")


class PlanError(TableError):
    """A comparison that cannot be found, read or run."""


@dataclass(frozen=True)
class Plan:
    """A comparison in a TOML file: one recipe, and how the arms depart from it."""

    name: str
    recipe: str
    """A .toml file, or the name of a recipe that ships."""
    suite: str
    arms: Mapping[str, tuple[Mapping[str, Any], ...]]
    """For each arm its candidates: keys of a stage that replace those of the recipe's last one."""
    baseline: str = ""
    """The arm the others are held against; empty: the one that is plain."""
    description: str = ""
    every: Mapping[str, Any] = field(default_factory=dict)
    """Keys of a stage for every candidate that does not have them itself."""


@dataclass(frozen=True)
class Arm:
    """One of the things compared; of several candidates English dev takes one."""

    name: str
    candidates: tuple[Recipe, ...]

    @property
    def is_plain(self) -> bool:
        """Whether it takes no method."""
        return all(stage.objective.names == ("plain",) for one in self.candidates for stage in one.stage)

    @property
    def told_apart(self) -> tuple[str, ...]:
        """Of each candidate the keys of its last stage that not all candidates share."""
        tables = [asdict(one.stage[-1]) for one in self.candidates]
        keys = [key for key, value in tables[0].items() if any(table[key] != value for table in tables)]
        return tuple("; ".join(f"{key} = {json.dumps(table[key])}" for key in keys) for table in tables)


@dataclass(frozen=True)
class Comparison:
    """Arms, the baseline first, and what they are evaluated on."""

    name: str
    arms: tuple[Arm, ...]
    suite: Suite


def names() -> tuple[str, ...]:
    """Names of the plans that ship."""
    return named(_SHIPPED)


def load(asked: Sequence[str], *, suite: str = "", baseline: str = "", encoder: str | None = None) -> Comparison:
    """The comparison of one plan, by name or file, or of several recipes; raises TableError that says what is wrong."""
    if len(asked) == 1:
        plan = _plan(asked[0])
        start = recipes.load(plan.recipe)
        arms = [Arm(name, tuple(_over(start, {**plan.every, **keys}, f"{asked[0]}: arms.{name}[{number}]", name)
                                for number, keys in enumerate(candidates)))
                for name, candidates in plan.arms.items()]  # fmt: skip
        suite, baseline, name = suite or plan.suite, baseline or plan.baseline, plan.name
    else:
        arms = [Arm(one.name, (_trained_part(one),)) for one in map(recipes.load, asked)]
        name = " and ".join(arm.name for arm in arms)
    if not suite:
        raise PlanError(f"--suite says what the arms are evaluated on: {', '.join(suites.names())} or a .toml file")
    if encoder is not None:
        arms = [Arm(arm.name, tuple(replace(one, encoder=encoder) for one in arm.candidates)) for arm in arms]
    return Comparison(name, _ordered(arms, baseline), suites.load(suite))


def control(baseline: Recipe, own: Sequence[int], wanted: int, name: str) -> Recipe:
    """The baseline with so many updates in all; `own` are the updates of its stages, of which the last gives way."""
    *before, last = baseline.stage
    steps = wanted - sum(own[:-1])
    if steps < 1:
        raise PlanError(
            f"{name}: the stages of {baseline.name} before the last make {sum(own[:-1])} updates, so there is "
            f"no control of {wanted}; name another --baseline"
        )
    return replace(baseline, name=name, stage=(*before, replace(last, steps=steps)))


def _plan(name: str) -> Plan:
    table, where = open_toml("comparison", name, _SHIPPED, PlanError)
    if "stage" in table:
        raise PlanError(f"{where} is a recipe, and one recipe is nothing to compare; give several, or a plan")
    return read(Plan, table, where)


def _over(start: Recipe, keys: Mapping[str, Any], where: str, name: str) -> Recipe:
    """The recipe with the keys of its last stage replaced."""
    last = start.stage[-1]
    sources = {key: [one.source for one in getattr(last, key)] for key in ("data", "dev")}
    said = read(Stage, {"name": last.name, **sources, **keys}, where)
    try:
        stage = replace(last, **{key: getattr(said, key) for key in keys})
        return _trained_part(replace(start, name=name, stage=(*start.stage[:-1], stage)))
    except ValueError as error:
        raise PlanError(f"{where}: {error}") from error


def _trained_part(recipe: Recipe) -> Recipe:
    """What training depends on, and never an early stop, so that the number of updates is what the recipe says."""
    return replace(
        recipe,
        description="",
        licence="",
        licences={},
        test=Scoring(),
        weights="int8",
        smoothing=0.0,
        stage=tuple(replace(stage, patience=0) for stage in recipe.stage),
    )


def _ordered(arms: Sequence[Arm], baseline: str) -> tuple[Arm, ...]:
    """The baseline first; PlanError where it is not clear which one that is, or names do not do."""
    called = [arm.name for arm in arms]
    if len(arms) < 2 or len(set(called)) < len(called):
        raise PlanError(f"a comparison has two arms or more, each with a name of its own, not {', '.join(called)}")
    for arm in arms:
        if not _ARM.fullmatch(arm.name):
            raise PlanError(f"the arm {arm.name!r} needs a name that can be a folder: letters, digits, and any of ._+-")
        if not arm.candidates:
            raise PlanError(f"the arm {arm.name!r} has no candidates; write [[arms.{arm.name}]]")
    plain = [arm.name for arm in arms if arm.is_plain]
    if baseline and baseline not in called:
        raise PlanError(unknown("arm", baseline, called))
    if not baseline and len(plain) != 1:
        raise PlanError(f"{'several arms are' if plain else 'no arm is'} plain: {', '.join(plain or called)}; "
                        "say with --baseline which one the others are held against")  # fmt: skip
    chosen = baseline or plain[0]
    return tuple(sorted(arms, key=lambda arm: arm.name != chosen))
