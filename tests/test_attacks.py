"""The attacks: they find the letters the label hangs on, within what they may do and may ask."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes import attacks, languages, perturbations
from probes.battery import parse, run
from probes.oracle import BudgetSpent, Oracle
from probes.registry import UnknownName
from probes.searching.accept import apart, of, within
from probes.text import splice
from probes.types import Attempt, Edit, Item
from tests.fakes_probes import EXAMPLES, make_topics

ITEM = Item("The team won and the team sang")
DROPS = [Edit(i, i + 1, "") for i, char in enumerate(ITEM.text) if char != " "]
RNG = np.random.default_rng
EN = languages.get("en")


@pytest.mark.parametrize("name", attacks.names())
def test_every_attack_breaks_what_hangs_on_two_words(name):
    model = make_topics()
    oracle = Oracle(model, budget=500)
    found = attacks.get(name)(ITEM, 1, DROPS, oracle, within(0.2), RNG(0))
    assert found.fooled and found.queries == oracle.queries
    assert len(found.edits) == (6 if name == "burst" else 2), "one letter of each team; a burst spends all it may"
    assert "team" not in splice(ITEM.text, sorted(found.edits))
    assert attacks.describe(name).endswith(".")


@pytest.mark.parametrize("name", attacks.names())
def test_an_attack_keeps_to_what_is_accepted(name):
    oracle = Oracle(make_topics(), budget=500)
    found = attacks.get(name)(ITEM, 1, DROPS, oracle, within(0.01), RNG(0))
    assert not found.fooled and len(found.edits) <= 1


@pytest.mark.parametrize("name", attacks.names())
def test_an_attack_is_fixed_by_its_generator(name):
    def attempt(seed: int) -> tuple[Edit, ...]:
        return attacks.get(name)(ITEM, 1, DROPS * 1, Oracle(make_topics()), within(0.2), RNG(seed)).edits

    assert attempt(1) == attempt(1)


@pytest.mark.parametrize("name", attacks.names())
def test_an_attack_leaves_counting_to_the_oracle(name):
    oracle = Oracle(make_topics(), budget=3)
    with pytest.raises(BudgetSpent):
        attacks.get(name)(ITEM, 1, DROPS, oracle, within(0.01), RNG(0))
    assert oracle.queries <= 3


class Chance:
    """Answers that hang on every letter and mean nothing; what it was asked is counted."""

    labels = ("a", "b", "c")

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, items):
        self.asked += len(items)
        seeds = [np.random.default_rng([*map(ord, item.text), 1]) for item in items]
        return np.array([rng.dirichlet([6, 2, 2]) for rng in seeds], dtype=np.float32)


TEXTS = st.sampled_from(
    [
        ("en", "The team won 42 games in 2019."),
        ("hi", "टीम ने आज फिर मैच जीता 👨‍👩‍👧।"),
        ("th", "ทีมชนะการแข่งขันเมื่อวานนี้"),
        ("zh", "天气预报说明天会下雨。"),
        ("ar", "فاز الفريق بالمباراة أمس"),
        ("de", "Die Mannschaft hat gestern gewonnen."),
    ]
)
STEP = {"name": "x", "kind": "attack", "perturbations": ["drop", "repeat", "swap", "invisible"]}


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(attacks.names()), text=TEXTS, seed=st.integers(0, 9), budget=st.integers(1, 90))
def test_what_every_attack_promises(name, text, seed, budget):
    lang, item = text[0], Item(text[1])
    language = languages.get(lang)
    [step] = parse(
        {"steps": [STEP | {"attack": name, "budget": budget, "protect": ["numbers"], "strength": 0.2}]}
    ).steps
    offered = sorted({e for probe in step.perturbations for e in perturbations.get(probe)(item.text, language)})
    accept = of(step, language)

    def attempt() -> tuple[Attempt | None, int]:
        model = Chance()
        oracle = Oracle(model, budget=step.budget)
        try:
            found = attacks.get(name)(item, 0, offered, oracle, accept, RNG(seed))
        except BudgetSpent:
            found = None
        assert model.asked == oracle.queries <= budget
        return found, oracle.queries

    found, queries = attempt()
    assert attempt() == (found, queries), "fixed by the generator"
    if found is None:
        return
    assert set(found.edits) <= set(offered) and apart(found.edits) and accept(item.text, found.edits)
    after = Item(splice(item.text, found.edits))
    if lang == "en":
        assert "42" in after.text and "2019" in after.text
    clean, last = Chance()([item, after])
    assert found.fooled == (int(last.argmax()) != 0)
    assert found.fooled or last[0] <= clean[0], "never worse than no edit"


@pytest.mark.parametrize("name", attacks.names())
def test_no_edits_no_harm(name):
    oracle = Oracle(make_topics(), budget=50)
    found = attacks.get(name)(ITEM, 1, DROPS, oracle, lambda text, edits: not edits, RNG(0))
    assert found == Attempt((), False, oracle.queries)


def not_an_attack_but_called_one(item, label, edits, oracle, accept, rng):
    oracle([item])
    return Attempt((edits[0],), True, oracle.queries)


def test_somebody_elses_attack_is_named_by_its_module():
    found = attacks.get("tests.test_attacks:not_an_attack_but_called_one")
    assert found is not_an_attack_but_called_one
    with pytest.raises(UnknownName, match="has no 'nothing'"):
        attacks.get("tests.test_attacks:nothing")
    with pytest.raises(UnknownName, match="there is no module"):
        attacks.get("no_such_module:thing")
    with pytest.raises(UnknownName, match="is no attack: it cannot be called"):
        attacks.get("tests.test_attacks:DROPS")


def test_an_unknown_attack_is_told_what_was_meant():
    with pytest.raises(UnknownName, match="did you mean 'greedy'"):
        attacks.get("gredy")
    assert attacks.get("probes.attacks.greedy:greedy") is attacks.get("greedy")


def test_a_report_of_bursts_does_not_hang_on_workers_or_order():
    steps = [STEP | {"name": name, "attack": name, "budget": 40} for name in ("burst", "burst-and-prune")]
    battery = parse({"steps": steps})
    found = [
        run(battery, make_topics(), examples, workers=workers).to_json()
        for workers, examples in ((1, EXAMPLES), (2, EXAMPLES[::-1]), (8, EXAMPLES))
    ]
    assert found[0] == found[1] == found[2] and '"fooled"' in found[0]
