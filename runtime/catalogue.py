"""What there is to probe with, as rows for a table: perturbations, attacks, defences, batteries and more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from probes import attacks, battery, behaviour, defences, languages, perturbations
from probes.perturbations import NEEDS, nlpaug
from probes.registry import unknown
from probes.synonyms import sources

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


def defence(name: str) -> Row:
    """What a defence does."""
    return {"name": name, "does": defences.describe(name)}


def battery_of(name: str) -> Row:
    """A battery with everything its steps say."""
    found = battery.load(name)
    return {"name": found.name, "version": found.version, "seed": found.seed, "steps": [asdict(s) for s in found.steps]}


def language(code: str) -> Row:
    """A language, its scripts and keyboard layouts, what does not apply to it, and what its file has still to say."""
    found = languages.get(code)
    return {
        "code": code,
        "name": found.name,
        "scripts": list(found.scripts),
        "keyboard": list(found.keyboard),
        "not applicable": [name for name in perturbations.names() if not perturbations.applicable(name, found)],
        "missing": list(languages.missing(found)),
    }


def behaviours() -> tuple[str, ...]:
    """The behavioural tests, each called TASK/TEST."""
    return tuple(f"{found.task}/{found.name}" for found in behaviour.load().behaviours)


def behaviour_of(name: str) -> Row:
    """What a behavioural test says and in which languages it can be asked."""
    suite = behaviour.load()
    found = next(one for one in suite.behaviours if f"{one.task}/{one.name}" == name)
    asked = [lang for lang in suite.languages if found in suite.of(found.task, lang)]
    return {"name": name, "kind": found.kind, "says": found.says, "languages": asked}


def augmenter(name: str) -> Row:
    """An augmenter of nlpaug: what it does, what it leaves alone, and which data of the user's it reads."""
    one = nlpaug.AUGMENTERS[name.removeprefix("nlpaug:")]
    needed = NEEDS[one.needs] if one.needs else lambda language: True
    return {
        "name": name,
        "does": one.does,
        "leaves alone": one.cannot,
        "data": one.file and f"{name}:{one.file}",
        "languages": [code for code in languages.codes() if one.own_data and needed(languages.get(code))],
    }


def synonyms(name: str) -> Row:
    """A source of synonyms: the perturbation that takes it, what it is, and the languages of what is installed."""
    return {"name": name, "is": sources.NAMES[name], "languages": sorted(sources.here(name))}


KINDS: Mapping[str, tuple[Callable[[], tuple[str, ...]], Callable[[str], Row]]] = {
    "perturbations": (perturbations.names, perturbation),
    "synonyms": (lambda: tuple(sources.NAMES), synonyms),
    "nlpaug": (lambda: tuple(f"nlpaug:{name}" for name in nlpaug.AUGMENTERS), augmenter),
    "attacks": (attacks.names, attack),
    "defences": (defences.names, defence),
    "batteries": (battery.names, battery_of),
    "languages": (languages.codes, language),
    "behaviours": (behaviours, behaviour_of),
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
    known = {one for names, _ in KINDS.values() for one in names()}
    raise unknown("perturbation, attack, defence, battery, language or behaviour", name, known)
