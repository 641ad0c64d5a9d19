"""What attacks search with: pruning, batches that a flip ends, what edits cost and when they meet."""

from __future__ import annotations

import numpy as np
import pytest

from probes import attacks
from probes.oracle import BudgetSpent, Oracle
from probes.searching.accept import apart, cost, within
from probes.searching.search import CHUNK, extensions, pruned, strongest, trials
from probes.types import Edit, Item
from tests.fakes_probes import make_topics

RNG = np.random.default_rng


def test_pruning_leaves_what_is_needed():
    item = Item("one team two")
    edits = (Edit(0, 1, ""), Edit(4, 5, ""), Edit(6, 7, ""), Edit(9, 10, ""))
    oracle = Oracle(make_topics(), budget=20)
    assert pruned(item, 1, edits, oracle, within(1)) == ((Edit(6, 7, ""),), True)
    assert pruned(item, 1, edits, Oracle(make_topics(), budget=1), within(1)) == (edits[1:], False)

    def even(text, edits):
        return len(edits) != 3

    assert pruned(item, 1, edits, Oracle(make_topics()), even) == (edits, True), "what is not acceptable is no answer"


def test_what_a_flip_does_not_need_is_taken_back_by_quarters():
    item = Item("team " + "x" * 60)
    edits = tuple(Edit(i, i + 1, "") for i in (0, *range(5, 65)))
    oracle = Oracle(make_topics())
    assert pruned(item, 1, edits, oracle, within(1)) == ((Edit(0, 1, ""),), True)
    assert oracle.queries <= 20, "one by one it would be 60"


@pytest.mark.parametrize("name", ["genetic", "bad-characters", "burst-and-prune"])
def test_scattered_edits_are_taken_back(name):
    item = Item("a team of one " * 3)
    item = Item(item.text.replace("team", "four", 2))
    offered = [Edit(i, i + 1, "") for i, char in enumerate(item.text) if char != " "]
    found = attacks.get(name)(item, 1, offered, Oracle(make_topics()), within(0.3), RNG(4))
    assert found.fooled and len(found.edits) == 1


def test_a_flip_ends_the_search_of_a_batch():
    oracle = Oracle(make_topics())
    candidates = [(Edit(0, 1, ""),)] + [(Edit(0, 0, "x" * n),) for n in range(1, 40)]
    trial = strongest(Item("team"), 1, candidates, oracle)
    assert trial is not None and trial.fooled and trial.edits == candidates[0]
    assert oracle.queries == CHUNK


def test_extensions_add_one_edit_each():
    done = (Edit(0, 1, ""),)
    found = extensions(Item("abc"), done, [Edit(0, 1, ""), Edit(0, 2, "x"), Edit(1, 2, "")], within(1))
    assert found == [(Edit(0, 1, ""), Edit(1, 2, ""))]


def test_what_edits_cost_and_when_they_meet():
    text = "नमस्ते 👨‍👩‍👧 ab"
    family = text.index("👨")
    assert cost(text, Edit(family, family + 5, "")) == 1, "one grapheme, five code points"
    assert cost(text, Edit(0, 0, "xyz")) == 3 and cost(text, Edit(0, 0, "")) == 1
    assert apart([Edit(2, 3, ""), Edit(0, 2, "")])
    assert not apart([Edit(0, 2, ""), Edit(1, 3, "")])
    assert not apart([Edit(1, 1, "a"), Edit(1, 1, "b")])


def test_the_share_counts_graphemes_and_always_leaves_one_edit():
    accept = within(0.2)
    assert accept("a" * 10, [Edit(0, 1, ""), Edit(1, 2, "")])
    assert not accept("a" * 10, [Edit(0, 1, ""), Edit(1, 2, ""), Edit(3, 4, "")])
    assert accept("ab", [Edit(0, 1, "")])


@pytest.mark.parametrize("name", ["importance", "synonym"])
def test_a_text_of_more_words_than_the_budget_is_searched_all_the_same(name):
    words = ["one"] * 75 + ["team"] + ["two"] * 75
    item, at = Item(" ".join(words)), 4 * 75
    offered = [Edit(found, found + 1, "x") for found in range(0, len(item.text), 4) if found < at]
    oracle = Oracle(make_topics(), budget=100)
    with pytest.raises(BudgetSpent):
        attacks.get(name)(item, 1, offered, oracle, within(1), RNG(0))
    assert oracle.queries > 50
    offered = [*offered, Edit(at, at + 4, "four")]
    found = attacks.get(name)(item, 1, offered, Oracle(make_topics(), budget=60), within(1), RNG(0))
    assert found.fooled and found.queries <= 60


def test_the_last_queries_of_a_budget_are_asked_too():
    oracle = Oracle(make_topics(), budget=CHUNK + 3)
    candidates = [(Edit(0, 0, "x " * n),) for n in range(1, 40)]
    with pytest.raises(BudgetSpent):
        trials(Item("team"), 1, candidates, oracle)
    assert oracle.queries == CHUNK + 3
