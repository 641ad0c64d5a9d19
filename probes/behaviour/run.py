"""Running behavioural tests: draws the cases, asks the classifier, judges the answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from probes import languages
from probes.behaviour.results import BehaviourReport, Verdict
from probes.behaviour.suite import Behaviour, Suite, SuiteError, Template
from probes.behaviour.tasks import Alignment, align
from probes.behaviour.templates import Exhausted, Filling
from probes.oracle import Oracle
from probes.registry import unknown
from probes.running.provenance import identity, versions
from probes.types import Classifier, Item, Probabilities

# Draws for each case wanted: a filling that is there already, or changes nothing, is drawn again.
DRAWS = 8

# Cases asked together.
BLOCK = 512

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Case:
    """One filling of one template: an item, and where the test compares, the item it becomes."""

    lang: str
    behaviour: Behaviour
    template: int
    number: int
    expects: str
    before: Item
    after: Item | None


def behave(
    suite: Suite,
    task: str,
    classifier: Classifier,
    *,
    langs: Sequence[str] = (),
    tests: Sequence[str] = (),
    labels: Mapping[str, Sequence[str]] | None = None,
    cases: int = 40,
    seed: int = 0,
    progress: Progress | None = None,
) -> BehaviourReport:
    """Test a classifier with at most so many cases for each test and language; () means all languages and tests.

    Raises LabelError where its labels do not fit the task, SuiteError for a language or test there is not.
    """
    alignment = align(task, tuple(classifier.labels), labels)
    chosen = _chosen(suite, task, langs, tests)
    drawn = [case for lang, test in chosen for case in draw(suite, lang, test, alignment, cases, seed)]
    oracle = Oracle(classifier, batch_size=BLOCK)
    verdicts: list[Verdict] = []
    for start in range(0, len(drawn), BLOCK):
        block = drawn[start : start + BLOCK]
        oracle([item for case in block for item in (case.before, case.after) if item is not None])
        verdicts += [_judge(case, alignment, oracle) for case in block]
        if progress is not None:
            progress(len(verdicts), len(drawn))
    asked = {template.expects for lang, test in chosen for template in suite.templates[lang, task, test.name]}
    provenance = {
        "task": task,
        "labels": {label: list(group) for label, group in alignment.groups.items()},
        "without": sorted(expects for expects in asked if not _answerable(expects, alignment)),
        "tests": {b.name: {"kind": b.kind, "says": b.says} for b in dict.fromkeys(test for _, test in chosen)},
        "suite_sha256": suite.sha256,
        "cases": cases,
        "seed": seed,
        "classifier": identity(classifier),
        "versions": versions(),
        "queries": oracle.queries,
    }
    return BehaviourReport(tuple(verdicts), provenance)


def draw(suite: Suite, lang: str, behaviour: Behaviour, alignment: Alignment, cases: int, seed: int) -> Iterator[Case]:
    """At most so many different cases of one test, the templates in equal parts; the same for the same seed."""
    templates = suite.templates[lang, behaviour.task, behaviour.name]
    usable = [(i, one) for i, one in enumerate(templates) if _answerable(one.expects, alignment)]
    seen: set[tuple[Item, Item | None]] = set()
    for turn, (index, template) in enumerate(usable):
        wanted = cases // len(usable) + (turn < cases % len(usable))
        key = json.dumps([seed, lang, behaviour.task, behaviour.name, template.expects, template.sides])
        rng = np.random.default_rng(int.from_bytes(hashlib.sha256(key.encode()).digest()))
        found: list[tuple[Item, Item | None]] = []
        for _ in range(DRAWS * (wanted + 2)):
            if len(found) == wanted:
                break
            items = _filled(suite, lang, template, behaviour.vary, rng)
            if items is not None and items not in seen:
                seen.add(items)
                found.append(items)
        for number, items in enumerate(found):
            yield Case(lang, behaviour, index, number, template.expects, *items)


def _chosen(suite: Suite, task: str, langs: Sequence[str], tests: Sequence[str]) -> list[tuple[str, Behaviour]]:
    there = [lang for lang in suite.languages if suite.of(task, lang)]
    _all_known("language with tests", langs, there)
    _all_known(f"test of {task}", tests, [b.name for b in suite.behaviours if b.task == task])
    return [(lang, b) for lang in there if not langs or lang in langs
            for b in suite.of(task, lang) if not tests or b.name in tests]  # fmt: skip


def _all_known(kind: str, names: Iterable[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise SuiteError(str(unknown(kind, name, known)))


def _answerable(expects: str, alignment: Alignment) -> bool:
    """Whether the model has the label; that a label it lacks is not answered goes without saying."""
    return expects == "same" or expects.split(" ", 1)[-1] in alignment.groups


def _filled(
    suite: Suite, lang: str, template: Template, vary: str | None, rng: np.random.Generator
) -> tuple[Item, Item | None] | None:
    """The items of one filling; None where the words do not suffice or nothing would change."""
    filling = Filling(suite.lexicons[lang], languages.get(lang), rng)
    try:
        items = [Item(*map(filling.text, side)) for side in template.sides]
        if vary is not None:
            other = filling.varied(vary)
            items.append(Item(*map(other.text, template.sides[0])))
    except Exhausted:
        return None
    if len(items) == 1:
        return items[0], None
    return None if items[0] == items[1] else (items[0], items[1])


def _judge(case: Case, alignment: Alignment, oracle: Oracle) -> Verdict:
    """Whether the answers are what the case expects."""
    first = _answer(oracle, case.before)
    before, label = alignment.predicted(first), case.expects.split(" ", 1)[-1]
    second = None if case.after is None else _answer(oracle, case.after)
    after = None if second is None else alignment.predicted(second)
    known = label if label in alignment.groups else before[0] if before[0] in alignment.groups else None
    p_before, p_after = (
        None if answer is None or known is None else round(alignment.probability(answer, known), 4)
        for answer in (first, second)
    )
    if case.expects == "same":
        failed = before != after
    elif case.expects.startswith("more "):
        failed = (p_after or 0.0) < (p_before or 0.0) - case.behaviour.tolerance
    else:
        failed = (label in before) == case.expects.startswith("not ")
    return Verdict(
        lang=case.lang,
        test=case.behaviour.name,
        kind=case.behaviour.kind,
        template=case.template,
        number=case.number,
        expects=case.expects,
        failed=failed,
        before=case.before.text,
        pair_before=case.before.pair,
        after=case.after.text if case.after else None,
        pair_after=case.after.pair if case.after else None,
        predicted_before=" or ".join(before),
        predicted_after=None if after is None else " or ".join(after),
        probability_before=p_before,
        probability_after=p_after,
    )


def _answer(oracle: Oracle, item: Item) -> Probabilities:
    answer = oracle.answer(item)
    if answer is None:
        raise LookupError(f"{item} was not asked")
    return answer
