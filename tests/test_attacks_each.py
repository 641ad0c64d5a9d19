"""Each attack by itself: in which order it asks, what it keeps, where it stops."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from probes import attacks, languages
from probes.attacks.burst import SHOTS
from probes.attacks.charmer import CHOSEN
from probes.attacks.greedy import POOL
from probes.battery import parse
from probes.oracle import Oracle
from probes.searching.accept import apart, of, within
from probes.searching.search import CHUNK
from probes.types import Edit, Item
from tests.fakes import KeywordClassifier
from tests.fakes_probes import make_topics
from tests.test_attacks import STEP

RNG = np.random.default_rng
EN = languages.get("en")


def test_beam_finds_the_pair_whose_first_half_is_dull():
    """Dropping z helps most at first, but only without x and y is the label lost, and one of them alone does little."""

    class Trap:
        labels = ("a", "b")

        def __call__(self, items):
            left = {"xyz": 0.9, "xy": 0.7, "yz": 0.8, "xz": 0.8, "z": 0.1, "x": 0.69, "y": 0.69, "": 0.6}
            return np.array([[left[item.text], 1 - left[item.text]] for item in items], dtype=np.float32)

    letters = [Edit(i, i + 1, "") for i in range(3)]

    def two_at_most(text, edits):
        return apart(edits) and len(edits) <= 2

    for name, fooled in (("greedy", False), ("beam", True)):
        found = attacks.get(name)(Item("xyz"), 0, letters, Oracle(Trap()), two_at_most, RNG(0))
        assert found.fooled is fooled, name


def test_charmer_asks_for_positions_before_characters():
    model = make_topics()
    item = Item("team and more")
    offered = [Edit(i, i + 1, char) for i in range(len(item.text)) for char in "xyz"]
    found = attacks.get("charmer")(item, 1, offered, Oracle(model), within(1), RNG(0))
    assert found.fooled and found.edits[0].start < 4
    first = [seen.text for seen in model.seen[1 : 1 + len(item.text)]]
    changed = [next(i for i, (a, b) in enumerate(zip(item.text, text, strict=True)) if a != b) for text in first]
    assert changed == list(range(len(changed))), "one question a position, in their order"

    model = KeywordClassifier({"always": ("e",), "never": ()}, sharpness=0.1)
    oracle = Oracle(model)
    item = Item("e" + "o" * 30)
    offered = [Edit(i, i, char) for i in range(31) for char in "uvw"]
    attacks.get("charmer")(item, 0, offered, oracle, within(1), RNG(0))
    assert oracle.queries == 1 + 31 + CHOSEN * 2, "then the other characters of the best positions"


def test_synonym_takes_of_the_flips_the_smallest():
    item = Item("the team won")
    offered = [Edit(4, 8, word) for word in ("great squad", "club", "team team")]
    found = attacks.get("synonym")(item, 1, offered, Oracle(make_topics()), within(1), RNG(0))
    assert found.fooled and found.edits == (Edit(4, 8, "club"),)


def test_synonym_ranks_only_the_words_it_can_replace():
    model = make_topics()
    item = Item("one two team four")
    attacks.get("synonym")(item, 1, [Edit(0, 3, "eins"), Edit(8, 12, "club")], Oracle(model), within(1), RNG(0))
    assert [seen.text for seen in model.seen[1:3]] == [" two team four", "one two  four"]


def test_code_mix_goes_from_left_to_right():
    model = make_topics()
    item = Item("my team your team")
    offered = [Edit(0, 2, "mein"), Edit(3, 7, "equipo"), Edit(8, 12, "tu"), Edit(13, 17, "ekip")]
    found = attacks.get("code-mix")(item, 1, offered, Oracle(model), within(1), RNG(0))
    assert found.fooled and found.edits == (Edit(3, 7, "equipo"), Edit(13, 17, "ekip")), "what does nothing stays"
    assert model.seen[1].text == "mein team your team"
    assert not any("ekip" in seen.text and "equipo" not in seen.text for seen in model.seen[:4])


def test_a_burst_breaks_every_word_before_any_twice_in_one_question():
    model = KeywordClassifier({"other": (), "sports": ("team", "match", "goal")})
    item = Item("team match goal")
    offered = [Edit(i, i + 1, new) for i, char in enumerate(item.text) if char != " " for new in ("", "xy")]
    found = attacks.get("burst")(item, 1, offered, Oracle(model), within(0.2), RNG(0))
    assert found.fooled and found.queries == 2, "the clean text, and one set of edits"
    assert found.edits == (Edit(0, 1, ""), Edit(5, 6, ""), Edit(11, 12, "")), "where a word begins, the smallest edits"


def test_a_burst_asks_in_doubling_rounds_and_ends():
    class Firm(KeywordClassifier):
        rounds: ClassVar[list[int]] = []

        def __call__(self, items):
            self.rounds.append(len(items))
            return super().__call__(items)

    model = Firm({"always": ("e",), "never": ()}, sharpness=0.1)
    item = Item("e" * 120)
    offered = [Edit(i, i, char) for i in range(121) for char in "abcdefgh"]
    found = attacks.get("burst")(item, 0, offered, Oracle(model), within(0.3), RNG(0))
    assert not found.fooled and model.rounds[:6] == [1, 1, 1, 2, 4, 8] and max(model.rounds) == CHUNK
    assert sum(model.rounds) == 1 + SHOTS


def test_a_burst_goes_on_past_what_is_not_acceptable():
    item = Item("12345678 team 12345678")
    accept = of(parse({"steps": [STEP | {"attack": "burst", "budget": 9, "protect": ["numbers"]}]}).steps[0], EN)
    offered = [Edit(i, i + 1, "") for i, char in enumerate(item.text) if char != " "]
    found = attacks.get("burst")(item, 1, offered, Oracle(make_topics()), accept, RNG(0))
    assert found.fooled and {edit.start for edit in found.edits} <= {9, 10, 11, 12}


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
