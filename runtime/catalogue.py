"""What there is to probe with, as rows for a table: perturbations, attacks, batteries, languages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from probes import attacks, battery, languages, perturbations
from probes.registry import unknown

Row = dict[str, Any]


def perturbation(name: str) -> Row:
    """What a perturbation does and for which languages."""
    applicable = [code for code in languages.codes() if perturbations.applicable(name, languages.get(code))]
    return {
        "name": name,
        "does": perturbations.describe(name),
        "unit": perturbations.unit(name),
        "languages": applicable,
    }


def attack(name: str) -> Row:
    """What an attack does."""
    return {"name": name, "does": attacks.describe(name)}


def battery_of(name: str) -> Row:
    """A battery with everything its steps say."""
    found = battery.load(name)
    return {"name": found.name, "version": found.version, "seed": found.seed, "steps": [asdict(s) for s in found.steps]}


def language(code: str) -> Row:
    """A language, its scripts and what does not apply to it."""
    found = languages.get(code)
    missing = [name for name in perturbations.names() if not perturbations.applicable(name, found)]
    return {"code": code, "name": found.name, "scripts": list(found.scripts), "not applicable": missing}


KINDS: Mapping[str, tuple[Callable[[], tuple[str, ...]], Callable[[str], Row]]] = {
    "perturbations": (perturbations.names, perturbation),
    "attacks": (attacks.names, attack),
    "batteries": (battery.names, battery_of),
    "languages": (languages.codes, language),
}


def rows(kind: str) -> list[Row]:
    """Everything of one kind."""
    if kind not in KINDS:
        raise unknown("kind of thing", kind, KINDS)
    names, describe = KINDS[kind]
    return [describe(name) for name in names()]


def find(name: str) -> tuple[str, Row]:
    """The thing of a name, whatever its kind, with the kind; UnknownName with near names."""
    for kind, (names, describe) in KINDS.items():
        if name in names():
            return kind, describe(name)
    if ":" in name:
        return "perturbations", perturbation(name)
    raise unknown(
        "perturbation, attack, battery or language", name, {n for names, _ in KINDS.values() for n in names()}
    )
