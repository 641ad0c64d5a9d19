"""What a battery says: its steps, read from TOML or from a request; unknown keys are refused by name."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from probes import attacks, languages, perturbations
from probes.registry import UnknownName, unknown
from probes.searching import accept, goals

FOLDER = Path(__file__).parent / "batteries"

# Below this a figure would speak of the smaller part of a language's texts.
COVERAGE = 0.5

# Keys that mean nothing without an attack.
_ATTACKING = ("attack", "budget", "goal", "protect", "max_characters", "max_words", "keep_language", "similarity")


class BatteryError(ValueError):
    """A battery that cannot be run, and what in it is wrong."""


@dataclass(frozen=True, slots=True)
class Step:
    """One probe: noise drawn from perturbations, or an attack searching over them.

    strength is the share of the unit noise edits, or the share of graphemes an attack may edit (0..1). In its place
    noise may say dose: the share of graphemes that is changed on average, in every language, whatever the unit; the
    strength is then None. draws are noisy copies per example; languages () means all. field: of a pair, noise edits the
    text, the pair or both; an attack also either, all its edits being on the side it chooses.

    Of an attack alone: budget is its queries per example, ranking included; goal is untargeted, targeted:LABEL or
    confidence:SHARE; the rest are constraints. protect: spans never edited (numbers, urls, names, text:WORDS,
    regex:PATTERN). max_characters and max_words: Levenshtein distance in graphemes and in words. keep_language: the
    text is still taken for the same language. similarity: a measure of two texts, their.module:thing, and its least.
    """

    name: str
    perturbations: tuple[str, ...]
    kind: Literal["noise", "attack"] = "noise"
    strength: float | None = 0.1
    dose: float | None = None
    draws: int = 1
    attack: str | None = None
    budget: int | None = None
    field: Literal["text", "pair", "both", "either"] = "text"
    languages: tuple[str, ...] = ()
    goal: str = "untargeted"
    protect: tuple[str, ...] = ()
    max_characters: int | None = None
    max_words: int | None = None
    keep_language: bool = False
    similarity: str | None = None
    least_similarity: float = 0.8

    def covers(self, lang: str) -> bool:
        """Whether this step is meant for the language (zh also stands for zh-Hant and zho)."""
        return not self.languages or any(languages.covers(wanted, lang) for wanted in self.languages)


@dataclass(frozen=True, slots=True)
class Battery:
    """Named steps under one seed; the seed, the step and the example fix every draw.

    coverage: a language in which a step can touch a smaller share of the texts than this is not measured by it.
    """

    name: str
    steps: tuple[Step, ...]
    version: int = 1
    seed: int = 0
    coverage: float = COVERAGE


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
        coverage=_share(found.get("coverage", COVERAGE), f"{where}: coverage"),
        steps=tuple(_step(step, f"{where}: step {i}", plugins) for i, step in enumerate(steps, 1)),
    )
    twice = sorted({s.name for s in battery.steps if sum(s.name == t.name for t in battery.steps) > 1})
    if twice:
        raise BatteryError(f"{where}: two steps are called {twice[0]!r}; a step's name must be its own")
    return battery


def check_targets(battery: Battery, labels: Sequence[str]) -> None:
    """BatteryError where an attack is after a label that is none of the model's."""
    for step in battery.steps:
        try:
            goals.parse(step.goal).check(labels)
        except UnknownName as error:
            raise BatteryError(f"battery {battery.name}: {step.name}: {error}") from error


def _step(found: Any, where: str, plugins: bool) -> Step:
    if not isinstance(found, Mapping):
        raise BatteryError(f"{where} is not a table but {type(found).__name__}")
    _known(found, Step, where)
    missing = [f.name for f in fields(Step) if f.default is MISSING and f.name not in found]
    if missing:
        raise BatteryError(f"{where} says no {' and no '.join(missing)}")
    where = f"{where} ({_text(found['name'], f'{where}: name')})"
    unset = {"strength", *(f.name for f in fields(Step) if f.default is None)}
    said = {key: value for key, value in found.items() if value is not None or key not in unset}
    step = Step(**{key: _READERS[key](value, f"{where}: {key}") for key, value in said.items()})
    if step.dose is not None and "strength" not in said:
        step = replace(step, strength=None)
    _consistent(step, where)
    _resolvable(step, where, plugins)
    return step


def _consistent(step: Step, where: str) -> None:
    if not step.perturbations:
        raise BatteryError(f"{where}: perturbations is empty; name at least one of {', '.join(perturbations.names())}")
    unset = Step(step.name, step.perturbations)
    foreign = [key for key in _ATTACKING if getattr(step, key) != getattr(unset, key)]
    if step.strength is not None and step.dose is not None:
        raise BatteryError(
            f"{where}: dose and strength exclude each other; dose is a share of graphemes for every probe"
        )
    if step.kind == "attack" and step.dose is not None:
        raise BatteryError(f"{where}: dose belongs to noise; the strength of an attack bounds its share of graphemes")
    if step.kind == "noise" and (foreign or step.field == "either"):
        said = " and ".join(foreign) or 'field = "either"'
        raise BatteryError(f'{where}: {said} belongs to a step of kind = "attack"')
    if step.kind == "attack" and (step.attack is None or step.budget is None):
        raise BatteryError(f"{where}: an attack step says which attack and with what budget (queries per example)")
    if step.kind == "attack" and step.draws != 1:
        raise BatteryError(f"{where}: an attack searches once (draws = 1)")


def _resolvable(step: Step, where: str, plugins: bool) -> None:
    """Names resolve now, not in the middle of a run."""
    imported = [name for name in (step.attack, step.similarity) if name]
    for name in (*step.perturbations, *imported, *(name for name in step.protect if name.startswith("regex:"))):
        if not plugins and ":" in name:
            raise BatteryError(f"{where}: {name!r} would import code, read a file or run for long; not taken from here")
    try:
        goals.parse(step.goal)
        for name in step.perturbations:
            perturbations.get(name)
        for name in step.protect:
            accept.pattern(name)
        if step.attack:
            attacks.get(step.attack)
        if step.similarity:
            accept.similarity(step.similarity)
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


def _share(value: Any, where: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise BatteryError(f"{where} must be a share between 0 and 1, not {value!r}")
    return float(value)


def _one_of(*allowed: str) -> Callable[[Any, str], str]:
    def read(value: Any, where: str) -> str:
        if value not in allowed:
            raise BatteryError(f"{where} must be one of {', '.join(allowed)}, not {value!r}")
        return allowed[allowed.index(value)]

    return read


def _yes_or_no(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise BatteryError(f"{where} must be true or false, not {value!r}")
    return value


_READERS: Mapping[str, Callable[[Any, str], Any]] = {
    "name": _text,
    "perturbations": _texts,
    "kind": _one_of("noise", "attack"),
    "strength": _share,
    "dose": _share,
    "draws": partial(_whole, least=1),
    "attack": _text,
    "budget": partial(_whole, least=1),
    "field": _one_of("text", "pair", "both", "either"),
    "languages": _texts,
    "goal": _text,
    "protect": _texts,
    "max_characters": partial(_whole, least=1),
    "max_words": partial(_whole, least=1),
    "keep_language": _yes_or_no,
    "similarity": _text,
    "least_similarity": _share,
}
"""How the value of each key of a step is read."""
