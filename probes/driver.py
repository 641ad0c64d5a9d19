"""From steps and examples to outcomes: draws the noise, lets the attacks search, asks one oracle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from probes import accept, attacks, goals, languages, noise, perturbations
from probes.languages import Language
from probes.oracle import BudgetSpent, DeadlinePassed, Oracle
from probes.report import Outcome, Status
from probes.sides import sides
from probes.steps import Step
from probes.text import splice
from probes.types import Edit, Example, Item, Probabilities

# Items the model is given at once; it packs them by length.
BATCH = 128

# A draw that edits nothing (a short text, a small strength) tries nothing, so it is drawn again, so many times.
DRAWS = 6


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
    edits: tuple[Edit, ...]
    pair_edits: tuple[Edit, ...]


class Driver:
    """Asks the oracle and turns its answers into outcomes; knows nothing of sums."""

    def __init__(self, seed: int, oracle: Oracle) -> None:
        self.oracle = oracle
        self._seed = seed

    def block(self, steps: Sequence[Step], examples: Sequence[Example]) -> Iterator[Outcome]:
        """Every outcome of some examples, clean texts first, then all noise of all steps in one go."""
        self._ask([example.item for example in examples])
        tasks = [Task(s, e, d) for e in examples for s in steps if s.covers(e.lang) for d in range(s.draws)]
        noisy = [self._draw(task) for task in tasks if task.step.kind == "noise"]
        self._ask([n.item for n in noisy if (n.edits or n.pair_edits) and self._right(n.task.example)])
        yield from (self._noise_outcome(n) for n in noisy)
        yield from (self._attack_outcome(task) for task in tasks if task.step.kind == "attack")

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

    def _rng(self, task: Task) -> np.random.Generator:
        """Fixed by what is drawn, not by when: seed, step, example and draw."""
        key = json.dumps([self._seed, task.step.name, task.example.id, task.draw]).encode()
        return np.random.default_rng(int.from_bytes(hashlib.sha256(key).digest()))

    def _draw(self, task: Task) -> Noisy:
        step, item, rng = task.step, task.example.item, self._rng(task)
        edits: dict[str, tuple[Edit, ...]] = {"text": (), "pair": ()}
        for side, text in (("text", item.text), ("pair", item.pair)):
            if text is not None and step.field in (side, "both") and not self.oracle.late:
                edits[side] = _noise(text, task.example.lang, step, rng)
        return Noisy(task, _spliced(item, edits["text"], edits["pair"]), edits["text"], edits["pair"])

    def _noise_outcome(self, noisy: Noisy) -> Outcome:
        task, clean, after = noisy.task, self.oracle.answer(noisy.task.example.item), self.oracle.answer(noisy.item)
        if clean is None:
            return self._outcome(task, "out_of_budget")
        if noisy.item == task.example.item:
            return self._outcome(task, "out_of_budget" if self.oracle.late else "not_applicable")
        if not self._right(task.example):
            return self._outcome(task, "wrong_already")
        if after is None:
            return self._outcome(task, "out_of_budget")
        fooled = int(after.argmax()) != int(clean.argmax())
        return self._outcome(
            task, "fooled" if fooled else "held", noisy.item, noisy.edits, noisy.pair_edits, after, queries=1
        )

    def _attack_outcome(self, task: Task) -> Outcome:
        example, step = task.example, task.step
        clean = self.oracle.answer(example.item)
        if clean is None or self.oracle.late:
            return self._outcome(task, "out_of_budget")
        language = languages.get(example.lang)
        offered = sides(example.item, step.field, lambda text: _candidates(text, language, step.perturbations))
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
            attempt = attack(offered.item, label, offered.edits, own, allowed, self._rng(task))
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
        edits: tuple[Edit, ...] = (),
        pair_edits: tuple[Edit, ...] = (),
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
        )


def _spliced(item: Item, edits: tuple[Edit, ...], pair_edits: tuple[Edit, ...]) -> Item:
    pair = item.pair if item.pair is None else splice(item.pair, pair_edits)
    return Item(splice(item.text, edits), pair)


def _noise(text: str, lang: str, step: Step, rng: np.random.Generator) -> tuple[Edit, ...]:
    language = languages.get(lang)
    draws = (noise.sample(text, language, step.perturbations, step.strength, rng) for _ in range(DRAWS))
    return next((edits for edits in draws if edits), ())


def _candidates(text: str, language: Language, wanted: Sequence[str]) -> list[Edit]:
    """Every edit the perturbations offer, each once, in the order of the text."""
    applicable = [name for name in wanted if perturbations.applicable(name, language)]
    found = {edit for name in applicable for edit in perturbations.get(name)(text, language)}
    return sorted(found, key=attrgetter("start", "end", "new"))


def _rounded(answer: Probabilities | None, column: int | None) -> float | None:
    """Four decimals: what lies behind them depends on how a batch was packed."""
    return None if answer is None or column is None else round(float(answer[column]), 4)
