"""What a battery says: its steps, read from TOML or from a request; unknown keys are refused by name."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from probes import attacks, perturbations
from probes.registry import unknown

Choice = TypeVar("Choice", bound=str)

FOLDER = Path(__file__).parent / "batteries"


class BatteryError(ValueError):
    """A battery that cannot be run, and what in it is wrong."""


@dataclass(frozen=True, slots=True)
class Step:
    """One probe: noise drawn from perturbations, or an attack searching over them.

    strength is the share of the unit noise edits, or the share of graphemes an attack may edit (0..1). draws are noisy
    copies per example; budget is an attack's queries per example, ranking included; languages () means all.
    """

    name: str
    perturbations: tuple[str, ...]
    kind: Literal["noise", "attack"] = "noise"
    strength: float = 0.1
    draws: int = 1
    attack: str | None = None
    budget: int | None = None
    field: Literal["text", "pair", "both"] = "text"
    languages: tuple[str, ...] = ()

    def covers(self, lang: str) -> bool:
        """Whether this step is meant for the language (zh also stands for zh-Hant)."""
        return not self.languages or lang in self.languages or lang.split("-")[0] in self.languages


@dataclass(frozen=True, slots=True)
class Battery:
    """Named steps under one seed; the seed, the step and the example fix every draw."""

    name: str
    steps: tuple[Step, ...]
    version: int = 1
    seed: int = 0


def names() -> tuple[str, ...]:
    """The batteries that ship."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load(name_or_path: str | Path) -> Battery:
    """A shipped battery by name, or one from a TOML file."""
    path = Path(name_or_path)
    if str(name_or_path) in names():
        path = FOLDER / f"{name_or_path}.toml"
    elif path.suffix != ".toml":
        raise BatteryError(str(unknown("battery", str(name_or_path), names())))
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BatteryError(f"there is no battery file {path}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BatteryError(f"{path}: {error}") from error
    return parse(found, where=str(path))


def parse(found: Mapping[str, Any], *, where: str = "battery", plugins: bool = True) -> Battery:
    """A battery from a mapping; plugins False refuses `their.module:thing`, for mappings that come from outside."""
    _known(found, Battery, where)
    steps = found.get("steps")
    if not isinstance(steps, list | tuple) or not steps:
        raise BatteryError(f"{where}: steps must be a list with at least one step")
    battery = Battery(
        name=_text(found.get("name", "inline"), f"{where}: name"),
        version=_whole(found.get("version", 1), f"{where}: version", 0),
        seed=_whole(found.get("seed", 0), f"{where}: seed", 0),
        steps=tuple(_step(step, f"{where}: step {i}", plugins) for i, step in enumerate(steps, 1)),
    )
    twice = sorted({s.name for s in battery.steps if sum(s.name == t.name for t in battery.steps) > 1})
    if twice:
        raise BatteryError(f"{where}: two steps are called {twice[0]!r}; a step's name must be its own")
    return battery


def _step(found: Any, where: str, plugins: bool) -> Step:
    if not isinstance(found, Mapping):
        raise BatteryError(f"{where} is not a table but {type(found).__name__}")
    _known(found, Step, where)
    missing = [f.name for f in fields(Step) if f.default is MISSING and f.name not in found]
    if missing:
        raise BatteryError(f"{where} says no {' and no '.join(missing)}")
    where = f"{where} ({_text(found['name'], f'{where}: name')})"
    attack, budget = found.get("attack"), found.get("budget")
    step = Step(
        name=found["name"],
        perturbations=_texts(found["perturbations"], f"{where}: perturbations"),
        kind=_one_of(found.get("kind", "noise"), ("noise", "attack"), f"{where}: kind"),
        strength=_strength(found.get("strength", 0.1), f"{where}: strength"),
        draws=_whole(found.get("draws", 1), f"{where}: draws", 1),
        attack=None if attack is None else _text(attack, f"{where}: attack"),
        budget=None if budget is None else _whole(budget, f"{where}: budget", 1),
        field=_one_of(found.get("field", "text"), ("text", "pair", "both"), f"{where}: field"),
        languages=_texts(found.get("languages", ()), f"{where}: languages"),
    )
    _consistent(step, where)
    _resolvable(step, where, plugins)
    return step


def _consistent(step: Step, where: str) -> None:
    if not step.perturbations:
        raise BatteryError(f"{where}: perturbations is empty; name at least one of {', '.join(perturbations.names())}")
    if step.kind == "noise" and (step.attack is not None or step.budget is not None):
        raise BatteryError(f'{where}: attack and budget belong to a step of kind = "attack"')
    if step.kind == "attack":
        if step.attack is None or step.budget is None:
            raise BatteryError(f"{where}: an attack step says which attack and with what budget (queries per example)")
        if step.draws != 1 or step.field == "both":
            raise BatteryError(f"{where}: an attack searches once and on one side (draws = 1, field text or pair)")


def _resolvable(step: Step, where: str, plugins: bool) -> None:
    """Names resolve now, not in the middle of a run."""
    for name in (*step.perturbations, *([step.attack] if step.attack else [])):
        if not plugins and ":" in name:
            raise BatteryError(f"{where}: {name!r} would import code and is not taken from here")
    try:
        for name in step.perturbations:
            perturbations.get(name)
        if step.attack:
            attacks.get(step.attack)
    except (LookupError, ValueError, ImportError) as error:
        raise BatteryError(f"{where}: {error.args[0] if error.args else error}") from error


def _known(found: Mapping[str, Any], shape: type, where: str) -> None:
    allowed = [f.name for f in fields(shape)]
    for key in found:
        if key not in allowed:
            raise BatteryError(f"{where}: {unknown('key', str(key), allowed)}")


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise BatteryError(f"{where} must be a text, not {value!r}")
    return value


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise BatteryError(f"{where} must be a list of texts, not {value!r}")
    return tuple(_text(one, where) for one in value)


def _whole(value: Any, where: str, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise BatteryError(f"{where} must be a whole number of at least {least}, not {value!r}")
    return value


def _strength(value: Any, where: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise BatteryError(f"{where} must be a share between 0 and 1, not {value!r}")
    return float(value)


def _one_of(value: Any, allowed: tuple[Choice, ...], where: str) -> Choice:
    if value not in allowed:
        raise BatteryError(f"{where} must be one of {', '.join(allowed)}, not {value!r}")
    return allowed[allowed.index(value)]
