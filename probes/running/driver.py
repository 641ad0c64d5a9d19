"""From steps and examples to outcomes: draws the noise, lets the attacks search, asks one oracle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import partial
from itertools import repeat
from operator import attrgetter
from typing import Any

import numpy as np

from probes import attacks, languages, noise, perturbations
from probes.dose import item_dose
from probes.languages import Language
from probes.oracle import BudgetSpent, DeadlinePassed, Oracle
from probes.report import Outcome, Status
from probes.searching import accept, goals
from probes.searching.sides import joined
from probes.steps import Step
from probes.text import splice
from probes.types import Edit, Example, Item, Probabilities

# Items the model is given at once; it packs them by length.
BATCH = 128

# A draw that edits nothing (a short text, a small strength) tries nothing, so it is drawn again, so many times.
DRAWS = 6

# What of a step says nothing of the draw: a step under another name, or for more languages, draws the same.
_UNKEYED = ("name", "languages", "draws")

Edits = tuple[Edit, ...]
Prepared = tuple[Edits, Edits]
"""Edits of the text and of the pair: the noise that was drawn, or all there is for an attack to choose from."""
Compute = Callable[..., Iterator[list[Prepared]]]
"""map, or one that computes elsewhere."""


@dataclass(frozen=True, slots=True)
class Task:
    """One outcome to be: a step, an example and the number of the draw."""

    step: Step
    example: Example
    draw: int


@dataclass(frozen=True, slots=True)
class Noisy:
    """A task with its noise drawn."""

    task: Task
    item: Item
    edits: Edits
    pair_edits: Edits


def prepare(seed: int, example: Example, steps: Sequence[Step]) -> list[Prepared]:
    """What each task of an example has to edit with; pure, and no model is needed."""
    return [_prepared(seed, task) for task in _tasks(example, steps)]


class Driver:
    """Asks the oracle and turns its answers into outcomes; knows nothing of sums."""

    def __init__(self, seed: int, oracle: Oracle, compute: Compute = map) -> None:
        self.oracle = oracle
        self._seed = seed
        self._compute = compute

    def block(self, work: Sequence[tuple[Example, Sequence[Step]]]) -> Iterator[Outcome]:
        """Every outcome of some examples, each in its steps: clean texts first, then all noise in one go."""
        prepared = self._compute(partial(prepare, self._seed), *zip(*work, strict=True)) if work else iter(())
        self._ask([example.item for example, _ in work])
        ready = list(self._ready(work, prepared))
        noisy = [Noisy(task, _spliced(task.example.item, *e), *e) for task, e in ready if task.step.kind == "noise"]
        self._ask([n.item for n in noisy if n.edits or n.pair_edits])
        yield from (self._noise_outcome(n) for n in noisy)
        yield from (self._attack_outcome(task, offered) for task, offered in ready if task.step.kind == "attack")

    def _ready(
        self, work: Iterable[tuple[Example, Sequence[Step]]], prepared: Iterator[list[Prepared]]
    ) -> Iterator[tuple[Task, Prepared]]:
        """The tasks with what they have to edit with; nothing past the deadline."""
        for example, steps in work:
            found: Iterable[Prepared] = repeat(((), ())) if self.oracle.late else next(prepared)
            yield from zip(_tasks(example, steps), found, strict=False)

    def _ask(self, items: Sequence[Item]) -> None:
        """Have the answers remembered; past the deadline those not reached are simply missing."""
        try:
            self.oracle(items)
        except DeadlinePassed:
            return

    def _right(self, example: Example) -> bool:
        """Whether there is a label to lose: the clean prediction is known and not wrong."""
        clean = self.oracle.answer(example.item)
        return clean is not None and example.label in (None, self._name(clean))

    def _name(self, probabilities: Probabilities) -> str:
        return self.oracle.labels[int(probabilities.argmax())]

    def _noise_outcome(self, noisy: Noisy) -> Outcome:
        task, clean, after = noisy.task, self.oracle.answer(noisy.task.example.item), self.oracle.answer(noisy.item)
        if clean is None:
            return self._outcome(task, "out_of_budget")
        if noisy.item == task.example.item:
            if self.oracle.late:
                return self._outcome(task, "out_of_budget")
            if not _rounded_away(task):
                return self._outcome(task, "not_applicable")
        if after is None:
            return self._outcome(task, "out_of_budget")
        status: Status = "held" if int(after.argmax()) == int(clean.argmax()) else "fooled"
        if not self._right(task.example):
            status = "wrong_already"
        return self._outcome(task, status, noisy.item, noisy.edits, noisy.pair_edits, after, queries=1)

    def _attack_outcome(self, task: Task, prepared: Prepared) -> Outcome:
        example, step = task.example, task.step
        clean = self.oracle.answer(example.item)
        if clean is None or self.oracle.late:
            return self._outcome(task, "out_of_budget")
        language = languages.get(example.lang)
        offered = joined(example.item, *prepared, one_only=step.field == "either")
        if not offered.edits:
            return self._outcome(task, "not_applicable")
        if not self._right(example):
            return self._outcome(task, "wrong_already")
        goal = goals.parse(step.goal)
        if goal.reached(clean, clean, self.oracle.labels):
            return self._outcome(task, "not_applicable")
        view, label = goal.view(offered.view(self.oracle), clean)
        own = Oracle(view, budget=step.budget, batch_size=BATCH)
        allowed = offered.accept(accept.of(step, language))
        attack = attacks.get(step.attack or "")
        try:
            attempt = attack(offered.item, label, offered.edits, own, allowed, _rng(self._seed, task))
        except DeadlinePassed:
            return self._outcome(task, "out_of_budget", queries=own.queries)
        except BudgetSpent:
            return self._outcome(task, "held", queries=own.queries)
        if not attempt.edits or not allowed(offered.item.text, attempt.edits):
            return self._outcome(task, "held", queries=own.queries)
        edits, pair_edits = offered.apart(attempt.edits)
        after = _spliced(example.item, edits, pair_edits)
        answer = self.oracle.answer(after)
        if answer is None:
            return self._outcome(task, "held", queries=own.queries)
        status: Status = "fooled" if goal.reached(answer, clean, self.oracle.labels) else "held"
        return self._outcome(task, status, after, edits, pair_edits, answer, queries=own.queries)

    def _outcome(
        self,
        task: Task,
        status: Status,
        after: Item | None = None,
        edits: Edits = (),
        pair_edits: Edits = (),
        answer: Probabilities | None = None,
        queries: int = 0,
    ) -> Outcome:
        example, clean = task.example, self.oracle.answer(task.example.item)
        predicted = None if clean is None else self._name(clean)
        label = example.label or predicted
        column = None if label is None else self.oracle.labels.index(label)
        return Outcome(
            example=example.id,
            lang=example.lang,
            step=task.step.name,
            draw=task.draw,
            status=status,
            gold=example.label is not None,
            label=label,
            before=example.item.text,
            pair_before=example.item.pair,
            after=after.text if after else None,
            pair_after=after.pair if after else None,
            edits=tuple(sorted(edits)),
            pair_edits=tuple(sorted(pair_edits)),
            predicted_before=predicted,
            predicted_after=None if answer is None else self._name(answer),
            probability_before=_rounded(clean, column),
            probability_after=_rounded(answer, column),
            queries=queries,
            goal=task.step.goal,
            dose=round(item_dose(example.item, task.step.field, edits, pair_edits), 6) if after else None,
        )


def _tasks(example: Example, steps: Sequence[Step]) -> Iterator[Task]:
    return (Task(step, example, draw) for step in steps for draw in range(step.draws))


def _prepared(seed: int, task: Task) -> Prepared:
    step, item = task.step, task.example.item
    language, rng = languages.get(task.example.lang), _rng(seed, task)

    def edits(side: str, text: str | None) -> Edits:
        if text is None or (step.field in ("text", "pair") and step.field != side):
            return ()
        if step.kind == "noise":
            return _noise(text, language, step, rng)
        return _candidates(text, language, step.perturbations)

    return edits("text", item.text), edits("pair", item.pair)


def _rng(seed: int, task: Task) -> np.random.Generator:
    """Fixed by what is drawn, not by where it stands: seed, text, language, the step's parameters, and the draw."""
    step, example = task.step, task.example
    said: dict[str, Any] = {
        field.name: value
        for field in fields(step)
        if field.name not in _UNKEYED and (value := getattr(step, field.name)) != field.default
    }
    key = json.dumps([seed, example.item.text, example.item.pair, example.lang, said, task.draw], sort_keys=True)
    return np.random.default_rng(int.from_bytes(hashlib.sha256(key.encode()).digest()))


def _spliced(item: Item, edits: Edits, pair_edits: Edits) -> Item:
    pair = item.pair if item.pair is None else splice(item.pair, pair_edits)
    return Item(splice(item.text, edits), pair)


def _noise(text: str, language: Language, step: Step, rng: np.random.Generator) -> Edits:
    if step.strength is None:
        return noise.dosed(text, language, step.perturbations, step.dose or 0.0, rng)
    draws = (noise.sample(text, language, step.perturbations, step.strength, rng) for _ in range(DRAWS))
    return next((edits for edits in draws if edits), ())


def _rounded_away(task: Task) -> bool:
    """Whether an empty draw is that of a dose smaller than an edit, and not of texts that no edit applies to."""
    step, item, language = task.step, task.example.item, languages.get(task.example.lang)
    texts = {"text": (item.text,), "pair": (item.pair,)}.get(step.field, (item.text, item.pair))
    return step.dose is not None and any(
        noise.applies(text, language, step.perturbations) for text in texts if text is not None
    )


def _candidates(text: str, language: Language, wanted: Sequence[str]) -> Edits:
    """Every edit the perturbations offer, each once, in the order of the text."""
    applicable = [name for name in wanted if perturbations.applicable(name, language)]
    found = {edit for name in applicable for edit in perturbations.get(name)(text, language)}
    return tuple(sorted(found, key=attrgetter("start", "end", "new")))


def _rounded(answer: Probabilities | None, column: int | None) -> float | None:
    """Four decimals: what lies behind them depends on how a batch was packed."""
    return None if answer is None or column is None else round(float(answer[column]), 4)
