"""The attacks: they find the letters the label hangs on, within what they may do and may ask."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes import attacks, languages, perturbations
from probes.attacks.burst import SHOTS
from probes.attacks.charmer import CHOSEN
from probes.attacks.greedy import POOL
from probes.battery import parse, run
from probes.oracle import BudgetSpent, Oracle
from probes.registry import UnknownName
from probes.searching.accept import apart, cost, of, within
from probes.searching.search import CHUNK, extensions, pruned, strongest
from probes.text import splice
from probes.types import Attempt, Edit, Item
from tests.fakes import KeywordClassifier
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


def test_pruning_leaves_what_is_needed():
    item = Item("one team two")
    edits = (Edit(0, 1, ""), Edit(4, 5, ""), Edit(6, 7, ""), Edit(9, 10, ""))
    oracle = Oracle(make_topics(), budget=20)
    assert pruned(item, 1, edits, oracle, within(1)) == ((Edit(6, 7, ""),), True)
    assert pruned(item, 1, edits, Oracle(make_topics(), budget=1), within(1)) == (edits[1:], False)

    def even(text, edits):
        return len(edits) != 3

    assert pruned(item, 1, edits, Oracle(make_topics()), even) == (edits, True), "what is not acceptable is no answer"


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


def test_a_report_of_bursts_does_not_hang_on_workers_or_order():
    steps = [STEP | {"name": name, "attack": name, "budget": 40} for name in ("burst", "burst-and-prune")]
    battery = parse({"steps": steps})
    found = [
        run(battery, make_topics(), examples, workers=workers).to_json()
        for workers, examples in ((1, EXAMPLES), (2, EXAMPLES[::-1]), (8, EXAMPLES))
    ]
    assert found[0] == found[1] == found[2] and '"fooled"' in found[0]
