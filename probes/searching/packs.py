"""Attack packs: the edits that reached a goal, one JSON line each, to be tried again on other models."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from probes import languages
from probes.files import json_text, write_text
from probes.oracle import Oracle
from probes.report import Outcome, Report
from probes.searching import accept, goals
from probes.searching.search import pruned
from probes.searching.sides import joined
from probes.steps import Battery, Step
from probes.text import splice
from probes.types import Classifier, Edit, Item

FORMAT = "babelproof-pack/1"

# What a file may hold: it may come from anywhere.
LONGEST_LINE, MOST_LINES = 1_000_000, 100_000


class PackError(ValueError):
    """A pack that cannot be made, read or replayed: which, where, and why."""


@dataclass(frozen=True, slots=True)
class Source:
    """The model an attack was found on: what it was called, a digest of all that is known of it, its labels."""

    name: str
    sha256: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One attack that reached its goal: what it was done to, by what, and with which edits.

    before and after are the labels the model gave; gold says whether before was also the gold label. minimal: no single
    edit can be left out; False where the query budget of the attack ended before that was known.
    """

    model: Source
    battery: str
    version: int
    seed: int
    step: str
    attack: str
    goal: str
    example: str
    lang: str
    item: Item
    edits: tuple[Edit, ...]
    pair_edits: tuple[Edit, ...]
    before: str
    after: str
    gold: bool
    minimal: bool

    @property
    def edited(self) -> Item:
        """The item with the edits made."""
        pair = None if self.item.pair is None else splice(self.item.pair, self.pair_edits)
        return Item(splice(self.item.text, self.edits), pair)


def collect(report: Report, classifier: Classifier, name: str) -> list[Finding]:
    """Every attack of a report that reached its goal, each pruned within what it left of its query budget.

    The classifier is the one that was probed, under the name others shall know it by. PackError for a battery without
    attacks.
    """
    battery, known, steps = report.battery, report.provenance["classifier"], attack_steps(report.battery)
    digest = known.get("manifest_sha256") or hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()
    source, asked = Source(name, digest, tuple(classifier.labels)), Oracle(classifier)
    return [
        _pruned(
            Finding(
                model=source,
                battery=battery.name,
                version=battery.version,
                seed=battery.seed,
                step=outcome.step,
                attack=steps[outcome.step].attack or "",
                goal=outcome.goal,
                example=outcome.example,
                lang=outcome.lang,
                item=Item(outcome.before, outcome.pair_before),
                edits=outcome.edits,
                pair_edits=outcome.pair_edits,
                before=outcome.predicted_before or "",
                after=outcome.predicted_after or "",
                gold=outcome.gold,
                minimal=False,
            ),
            steps[outcome.step],
            outcome,
            asked,
        )
        for outcome in report.outcomes
        if outcome.status == "fooled" and outcome.step in steps
    ]


def attack_steps(battery: Battery) -> dict[str, Step]:
    """The steps of a battery whose successes make a pack, by name; PackError where there are none."""
    steps = {step.name: step for step in battery.steps if step.kind == "attack"}
    if not steps:
        raise PackError(f"the battery {battery.name} has no attack, so there is nothing to make a pack of")
    return steps


def write(path: Path, findings: Iterable[Finding]) -> None:
    """One line each (schema: pack.schema.json), the file whole or not at all."""
    lines = (json_text(_to_json(one)) for one in findings)
    write_text(path, "".join(f"{line}\n" for line in lines))


def read(path: Path) -> list[Finding]:
    """The attacks of a file that `write` wrote; PackError names the line that is none."""
    found: list[Finding] = []
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in _lines(file, path):
                try:
                    found.append(_from_json(json.loads(line)))
                except (ValueError, KeyError, TypeError, RecursionError) as error:
                    said = error if isinstance(error, PackError) else f"no attack of {FORMAT} ({error!r})"
                    raise PackError(f"{path}, line {number}: {said}") from error
    except UnicodeDecodeError as error:
        raise PackError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise PackError(f"{path} cannot be read: {error.strerror}") from error
    if not found:
        raise PackError(f"{path}: there is no attack in it")
    return found


def _pruned(finding: Finding, step: Step, outcome: Outcome, oracle: Oracle) -> Finding:
    clean = oracle([finding.item])[0]
    whole = joined(finding.item, finding.edits, finding.pair_edits)
    view, label = goals.parse(finding.goal).view(whole.view(oracle), clean)
    own = Oracle(view, budget=max(0, (step.budget or 0) - outcome.queries))
    allowed = whole.accept(accept.of(step, languages.get(finding.lang)))
    edits, minimal = pruned(whole.item, label, whole.edits, own, allowed)
    first, second = whole.apart(edits)
    fewer = replace(finding, edits=first, pair_edits=second, minimal=minimal)
    return replace(fewer, after=oracle.labels[int(oracle([fewer.edited])[0].argmax())])


def _lines(file: IO[str], path: Path) -> Iterator[tuple[int, str]]:
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise PackError(f"{path}, line {number} has more than {LONGEST_LINE} characters")
        if number > MOST_LINES:
            raise PackError(f"{path} has more than {MOST_LINES} lines")
        if line.strip():
            yield number, line


def _to_json(one: Finding) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "model": {"name": one.model.name, "sha256": one.model.sha256, "labels": list(one.model.labels)},
        "battery": {"name": one.battery, "version": one.version},
        "text": one.item.text,
        "pair": one.item.pair,
        "edits": [[edit.start, edit.end, edit.new] for edit in one.edits],
        "pair_edits": [[edit.start, edit.end, edit.new] for edit in one.pair_edits],
        **{name: getattr(one, name) for name in _PLAIN},
    }


_PLAIN = ("seed", "step", "attack", "goal", "example", "lang", "before", "after", "gold", "minimal")


def _from_json(row: Any) -> Finding:
    if not isinstance(row, dict) or row.get("format") != FORMAT:
        said = row.get("format") if isinstance(row, dict) else type(row).__name__
        raise PackError(f"it says format {said!r}; this version reads {FORMAT!r}")
    model, battery = _as(dict, row["model"]), _as(dict, row["battery"])
    labels = tuple(_text(label) for label in _as(list, model["labels"]))
    found = Finding(
        model=Source(_text(model["name"]), _text(model["sha256"]), labels),
        battery=_text(battery["name"]),
        version=_as(int, battery["version"]),
        seed=_as(int, row["seed"]),
        item=Item(_text(row["text"]), None if row["pair"] is None else _text(row["pair"])),
        edits=_edits(row["edits"]),
        pair_edits=_edits(row["pair_edits"]),
        step=_text(row["step"]),
        attack=_text(row["attack"]),
        goal=_text(row["goal"]),
        example=_text(row["example"]),
        lang=_text(row["lang"]),
        before=_text(row["before"]),
        after=_text(row["after"]),
        gold=_as(bool, row["gold"]),
        minimal=_as(bool, row["minimal"]),
    )
    if unknown := row.keys() - _to_json(found).keys():
        raise PackError(f"the keys {', '.join(sorted(unknown))} are not known")
    if not {found.before, found.after} <= set(labels):
        raise PackError(f"before and after are not among the model's labels {', '.join(labels)}")
    goals.parse(found.goal).check(labels)
    if found.edited == found.item or (found.pair_edits and found.item.pair is None):
        raise PackError("its edits change nothing")
    return found


def _edits(found: Any) -> tuple[Edit, ...]:
    return tuple(Edit(_as(int, start), _as(int, end), _text(new)) for start, end, new in _as(list, found))


def _text(value: Any) -> str:
    text: str = _as(str, value)
    text.encode()  # half a character (a lone surrogate) is a ValueError
    return text


def _as(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r} is not a {kind.__name__}")
    return value


def by_source(packs: Mapping[str, Iterable[Finding]]) -> dict[Source, list[Finding]]:
    """The attacks of several packs by the model they were found on, each once."""
    found: dict[Source, dict[Finding, None]] = {}
    for findings in packs.values():
        for finding in findings:
            found.setdefault(finding.model, {})[finding] = None
    return {source: list(those) for source, those in found.items()}
