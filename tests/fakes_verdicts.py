"""Reports made by hand: so many texts in so many languages and steps, flipping at given rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from probes.battery import Battery, Step, run
from probes.report import Outcome, Report
from tests.fakes_probes import make_topics

LANGS = ("de", "en", "hi", "zh")
STEPS = ("typos", "case")

Rates = Mapping[tuple[str, str], float]


def outcome(example: str, status: str, lang: str = "en", step: str = "typos", **more) -> Outcome:
    """One outcome on a text whose gold label is a, of the labels a, b and c."""
    before = more.pop("predicted_before", "b" if status == "wrong_already" else "a")
    after = more.pop("predicted_after", {"held": "a", "fooled": "b"}.get(status))
    known = {"draw": 0, "gold": True, "label": "a", "before": f"text {example}"}
    return Outcome(
        example, lang, step, status=status, predicted_before=before, predicted_after=after, **{**known, **more}
    )


def report(outcomes: Sequence[Outcome], steps: Sequence[str] = STEPS, **provenance) -> Report:
    """The outcomes as a report of steps that would all drop letters."""
    return Report(tuple(outcomes), {**_provenance(tuple(steps)), **provenance})


@cache
def _provenance(steps: tuple[str, ...]) -> Mapping[str, Any]:
    return run(Battery("made", tuple(Step(step, ("drop",)) for step in steps)), make_topics(), []).provenance


def drawn(
    rates: Rates,
    rng: np.random.Generator,
    *,
    texts: int = 40,
    right: float = 1.0,
    clean: np.random.Generator | None = None,
) -> Report:
    """Texts that the model has right by chance (of `clean`, if given), and that flip with the chance of their cell."""
    langs, steps = sorted({lang for lang, _ in rates}), list(dict.fromkeys(step for _, step in rates))
    known = {lang: (clean or rng).random(texts) < right for lang in langs}
    outcomes = [
        outcome(f"{lang}{i}", ("fooled" if flips[i] else "held") if known[lang][i] else "wrong_already", lang, step)
        for step in steps
        for lang in langs
        for flips in [rng.random(texts) < rates[lang, step]]
        for i in range(texts)
    ]
    return report(outcomes, steps)


def even(rate: float, langs: Sequence[str] = LANGS, steps: Sequence[str] = STEPS) -> dict[tuple[str, str], float]:
    """The same rate everywhere."""
    return {(lang, step): rate for lang in langs for step in steps}
