"""The oracle: batches, remembers, counts, and stops at its budget and its deadline."""

from __future__ import annotations

import time

import numpy as np
import pytest

from probes.oracle import BudgetSpent, DeadlinePassed, Oracle
from probes.types import Item
from tests.fakes_probes import Constant, Failing, make_topics


def items(*texts: str) -> list[Item]:
    return [Item(text) for text in texts]


def test_it_asks_in_batches_and_keeps_the_order():
    model = make_topics()
    oracle = Oracle(model, batch_size=2)
    answer = oracle(items("team", "x", "doctor", "y", "team team"))
    assert model.calls == 3
    assert [oracle.labels[i] for i in answer.argmax(axis=1)] == ["sports", "other", "health", "other", "sports"]
    assert np.array_equal(answer, make_topics()(items("team", "x", "doctor", "y", "team team")))


def test_what_was_asked_before_costs_nothing():
    model = make_topics()
    oracle = Oracle(model, budget=2)
    oracle(items("a", "b", "a"))
    oracle(items("b", "a"))
    assert oracle.queries == 2 and len(model.seen) == 2
    assert oracle.answer(Item("a")) is not None and oracle.answer(Item("c")) is None


def test_a_pair_is_another_item_than_its_text():
    oracle = Oracle(make_topics())
    oracle([Item("a"), Item("a", "b"), Item("a", "")])
    assert oracle.queries == 3


def test_a_question_beyond_the_budget_is_not_asked_at_all():
    model = make_topics()
    oracle = Oracle(model, budget=3)
    oracle(items("a", "b"))
    with pytest.raises(BudgetSpent, match="2 queries wanted, 1 of 3 left"):
        oracle(items("c", "d"))
    assert oracle.queries == 2 and len(model.seen) == 2
    oracle(items("c"))


def test_a_budget_for_one_example_counts_its_own_questions_whatever_others_asked():
    model = make_topics()
    whole = Oracle(model)
    whole(items("a", "b"))
    own = Oracle(whole, budget=2)
    own(items("a", "b"))
    assert own.queries == 2, "the count of one example must not depend on what ran before it"
    assert len(model.seen) == 2, "but the model is not asked twice"
    with pytest.raises(BudgetSpent):
        own(items("c"))


def test_the_deadline_passes_between_batches_and_keeps_what_was_answered():
    until = time.monotonic() + 0.05
    model = Failing(make_topics(), lambda call: time.sleep(0.06))
    oracle = Oracle(model, deadline=until, batch_size=1)
    with pytest.raises(DeadlinePassed):
        oracle(items("a", "b", "c"))
    assert oracle.late and oracle.queries == 1 and oracle.answer(Item("a")) is not None
    assert Oracle(oracle, budget=9).labels == oracle.labels
    with pytest.raises(DeadlinePassed):
        Oracle(oracle, budget=9)(items("z"))


def test_no_items_no_question():
    model = make_topics()
    assert Oracle(model, budget=0)([]).shape == (0, 3)
    assert model.calls == 0


@pytest.mark.parametrize(
    ("answer", "said"),
    [([[1.0]], r"shape \(1, 1\)"), ([[0.5, 0.5]] * 2, "shape"), ([[float("nan"), 1.0]], "not numbers")],
)
def test_a_classifier_that_answers_nonsense_is_named(answer, said):
    with pytest.raises(ValueError, match=said):
        Oracle(Constant(answer))(items("a"))
