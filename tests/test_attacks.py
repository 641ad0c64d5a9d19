"""The attacks: they find the letters the label hangs on, within what they may do and may ask."""

from __future__ import annotations

import numpy as np
import pytest

from probes import attacks
from probes.accept import apart, cost, within
from probes.attacks.greedy import POOL
from probes.oracle import BudgetSpent, Oracle
from probes.registry import UnknownName
from probes.search import CHUNK, extensions, strongest
from probes.text import splice
from probes.types import Edit, Item
from tests.fakes import KeywordClassifier
from tests.fakes_probes import make_topics

ITEM = Item("The team won and the team sang")
DROPS = [Edit(i, i + 1, "") for i, char in enumerate(ITEM.text) if char != " "]
RNG = np.random.default_rng


@pytest.mark.parametrize("name", attacks.names())
def test_every_attack_breaks_what_hangs_on_two_words(name):
    model = make_topics()
    oracle = Oracle(model, budget=500)
    found = attacks.get(name)(ITEM, 1, DROPS, oracle, within(0.2), RNG(0))
    assert found.fooled and found.queries == oracle.queries
    assert len(found.edits) == 2, "one letter of each team"
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
        attacks.get(name)(ITEM, 1, DROPS, oracle, within(0.2), RNG(0))
    assert oracle.queries <= 3


def test_importance_goes_to_the_word_that_matters_first():
    model = make_topics()
    item = Item("one two three team five six")
    edits = [Edit(i, i + 1, "") for i, char in enumerate(item.text) if char != " "]
    found = attacks.get("importance")(item, 1, edits, Oracle(model), within(0.5), RNG(0))
    assert found.fooled and len(found.edits) == 1
    # the clean text, six removals, then the four letters of the one word that counts
    assert found.queries == 1 + 6 + 4
    assert [seen.text for seen in model.seen[1:3]] == [" two three team five six", "one  three team five six"]


def test_importance_takes_edits_between_words_with_the_word_before_them():
    item = Item("(team!")
    edits = [Edit(0, 1, ""), Edit(3, 3, "x")]
    found = attacks.get("importance")(item, 1, edits, Oracle(make_topics()), within(1), RNG(0))
    assert found.fooled and found.edits == (Edit(3, 3, "x"),)


def test_greedy_keeps_the_best_edit_of_every_round():
    model = KeywordClassifier({"no": ("zz",), "yes": ("a", "b", "ab")})
    item = Item("ab zz")
    # dropping a or b costs two keywords of three; the other edit then one more
    edits = [Edit(0, 1, ""), Edit(1, 2, ""), Edit(3, 4, "")]
    found = attacks.get("greedy")(item, 1, edits, Oracle(model), within(1), RNG(0))
    assert found.fooled and found.edits[0] in edits[:2]


def test_greedy_stops_where_nothing_helps():
    model = KeywordClassifier({"always": ("e",), "never": ()})
    oracle = Oracle(model)
    found = attacks.get("greedy")(Item("eee"), 0, [Edit(0, 0, "x"), Edit(1, 1, "y")], oracle, within(1), RNG(0))
    assert not found.fooled and found.edits == () and found.queries == 3


def test_greedy_draws_a_pool_from_many_edits():
    oracle = Oracle(KeywordClassifier({"always": ("e",), "never": ()}, sharpness=0.1))
    many = [Edit(i, i, "x") for i in range(200)]
    attacks.get("greedy")(Item("e" * 200), 0, many, oracle, within(1), RNG(0))
    assert oracle.queries == 1 + POOL


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


def test_an_unknown_attack_is_told_what_was_meant():
    with pytest.raises(UnknownName, match="did you mean 'greedy'"):
        attacks.get("gredy")
    assert attacks.get("probes.attacks.greedy:greedy") is attacks.get("greedy")
