"""Suites: what an evaluation consists of, read from strict TOML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from probes import battery
from probes.registry import unknown
from probes.steps import Battery, BatteryError
from training.data import Source
from training.tables import TableError, named, open_toml, read

_SHIPPED = Path(__file__).parent.parent / "suites"

Languages = Literal["all", "known"] | tuple[str, ...]
"""All in the files, those `probes` has a file for, or a list."""


class SuiteError(TableError):
    """A suite that cannot be found, read or run."""


@dataclass(frozen=True)
class Rows:
    """Texts by source; in [generalized] every text meets the pair of every language's text of the same id."""

    data: tuple[Source, ...]
    languages: Languages = "all"
    rows: int | None = None
    """Rows of each language (or pair of languages), the same ids in all that have them; absent: every one."""

    def __post_init__(self) -> None:
        if not self.data:
            raise ValueError("data must name at least one source.")
        _positive(self, "rows")


@dataclass(frozen=True)
class Noisy:
    """Texts that came noisy, or the clean ones under the noise steps of a battery."""

    name: str
    data: tuple[Source, ...] = ()
    """Noisy rows; a clean row of the same language and id is its twin."""
    battery: str = ""
    """A battery by name or file, with the evaluation's seed in place of its own."""
    steps: tuple[str, ...] = ()
    """Steps of the battery; empty: every step of noise."""
    languages: tuple[str, ...] = ()
    """Empty: all that the data, or the clean texts, have."""
    rows: int | None = None

    def __post_init__(self) -> None:
        if bool(self.data) == bool(self.battery):
            raise ValueError(f"{self.name!r} names either data or a battery.")
        if self.steps and self.data:
            raise ValueError(f"{self.name!r}: steps are those of a battery.")
        _positive(self, "rows")
        if self.battery:
            self.probes(0)

    def probes(self, seed: int) -> Battery:
        """The battery's chosen steps of noise."""
        return _chosen(self.battery, self.steps, "noise", seed)


@dataclass(frozen=True)
class Attacked:
    """The clean texts under the attacks of a battery, so many queries each."""

    name: str
    battery: str
    budget: int
    """Queries per text, in place of what the battery says."""
    steps: tuple[str, ...] = ()
    """Steps of the battery; empty: every attack."""
    languages: tuple[str, ...] = ()
    rows: int | None = None

    def __post_init__(self) -> None:
        _positive(self, "rows", "budget")
        self.probes(0)

    def probes(self, seed: int) -> Battery:
        """The battery's chosen attacks under our budget."""
        chosen = _chosen(self.battery, self.steps, "attack", seed)
        return replace(chosen, steps=tuple(replace(step, budget=self.budget) for step in chosen.steps))


@dataclass(frozen=True)
class RadiusGrid:
    """How much Gaussian noise on the word embeddings a prediction bears, clean texts of each language."""

    grid: tuple[float, ...]
    """Rising norms of the noise, relative to that of a word embedding."""
    draws: int = 20
    stable: float = 0.95
    """Share of draws that must keep the prediction."""
    languages: tuple[str, ...] = ()
    rows: int | None = None

    def __post_init__(self) -> None:
        _positive(self, "rows", "draws")
        if not self.grid or self.grid[0] <= 0 or list(self.grid) != sorted(set(self.grid)):
            raise ValueError(f"grid must be rising norms above 0, not {list(self.grid)}.")
        if not 0 < self.stable <= 1:
            raise ValueError(f"stable is a share of the draws above 0 and up to 1, not {self.stable}.")


@dataclass(frozen=True)
class Suite:
    """Everything an evaluation does besides the model and the seed."""

    name: str
    clean: Rows
    description: str = ""
    generalized: Rows | None = None
    noisy: tuple[Noisy, ...] = ()
    attacked: tuple[Attacked, ...] = ()
    radius: RadiusGrid | None = None

    def __post_init__(self) -> None:
        for kind in (self.noisy, self.attacked):
            called = [part.name for part in kind]
            if len(set(called)) < len(called):
                raise ValueError(f"parts of one kind must have names of their own: {', '.join(called)}.")

    def limited(self, rows: int | None) -> Suite:
        """The suite with at most so many rows in every part."""
        if rows is None:
            return self
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        return Suite(**{name: _limited(part, rows) for name, part in parts.items()})


def _limited(part: Any, rows: int) -> Any:
    if isinstance(part, tuple):
        return tuple(_limited(one, rows) for one in part)
    return replace(part, rows=min(rows, part.rows or rows)) if hasattr(part, "rows") else part


def _positive(part: Any, *names: str) -> None:
    for name in names:
        value = getattr(part, name)
        if value is not None and value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}.")


def _chosen(name: str, steps: tuple[str, ...], kind: Literal["noise", "attack"], seed: int) -> Battery:
    """The steps of that kind out of a battery."""
    try:
        found = battery.load(name)
    except BatteryError as error:
        raise SuiteError(str(error)) from error
    there = {step.name: step for step in found.steps if step.kind == kind}
    for wanted in steps:
        if wanted not in there:
            raise SuiteError(f"battery {name}: {unknown(f'step of kind {kind}', wanted, there)}")
    if not there:
        raise SuiteError(f"battery {name} has no step of kind {kind}.")
    return replace(found, seed=seed, steps=tuple(there[step] for step in steps or there))


def names() -> tuple[str, ...]:
    """Names of the suites that ship."""
    return named(_SHIPPED)


def parse(table: Mapping[str, Any], where: str) -> Suite:
    """The suite a table describes; raises TableError that begins with `where`."""
    return read(Suite, table, where)


def load(name_or_path: str | Path) -> Suite:
    """The suite in a TOML file, or the shipped suite of that name."""
    return parse(*open_toml("suite", name_or_path, _SHIPPED, SuiteError))
