"""Random deletion: bounds against every text of a small world, where probabilities are exact; units, draws, votes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.certificates.deletion import Deletion, Smoothed, bound, certify, radius, segment
from probes.oracle import BudgetSpent, DeadlinePassed, Oracle
from probes.searching.accept import near
from probes.types import Example, Item
from tests.fakes import KeywordClassifier

LONGEST = 5
WORLD = ["".join(letters) for length in range(LONGEST + 1) for letters in itertools.product("ab", repeat=length)]


def exact(text: str, labelled: Mapping[str, bool], q: float) -> float:
    """The probability of the label after deletion, summed over everything that can be kept."""
    total = 0.0
    for mask in itertools.product((0, 1), repeat=len(text)):
        kept = "".join(itertools.compress(text, mask))
        total += labelled[kept] * (1 - q) ** sum(mask) * q ** (len(text) - sum(mask))
    return total


@lru_cache
def distances() -> dict[tuple[str, str], int]:
    """Levenshtein distance of any two texts."""
    return {
        (a, b): next(most for most in range(LONGEST + 1) if near(a, b, most))
        for a, b in itertools.product(WORLD, WORLD)
    }


def subsequences(text: str) -> set[str]:
    return {"".join(itertools.compress(text, mask)) for mask in itertools.product((0, 1), repeat=len(text))}


def classifiers(count: int) -> list[dict[str, bool]]:
    """Such as lean on a letter or a length, and such as follow no rule."""
    rng = np.random.default_rng(3)
    ruled = [
        lambda t: "a" in t,
        lambda t: t.count("a") > 1,
        lambda t: len(t) < 2,
        lambda t: t == "",
        lambda t: "ab" in t,
    ]
    found = [{text: rule(text) for text in WORLD} for rule in ruled]
    return found + [{text: bool(rng.random() < share) for text in WORLD} for share in np.linspace(0.2, 0.9, count)]


def test_no_text_within_the_radius_changes_a_certified_label() -> None:
    """Every classifier, every text, every text near it; one edit further there are those that do change."""
    certified, beyond = 0, 0
    for q, labelled in itertools.product((0.6, 0.8, 0.93), classifiers(8)):
        p = {text: exact(text, labelled, q) for text in WORLD}
        for text in WORLD:
            reach = radius(p[text], q) if p[text] > 0.5 else -2
            for other in WORLD:
                if (distance := distances()[text, other]) <= reach:
                    assert p[other] > 0.5, (text, other, q)
                    certified += distance > 0
                elif distance == reach + 1:
                    beyond += p[other] < 0.5
    assert certified > 1000 and beyond > 10, "the test can fail"


def test_the_bound_holds_for_every_pair_and_is_met_by_some() -> None:
    q, least = 0.7, 1.0
    for labelled in classifiers(4):
        p = {text: exact(text, labelled, q) for text in WORLD}
        for text, other in itertools.product(WORLD[:31], WORLD[:31]):
            kept = max(map(len, subsequences(text) & subsequences(other)))
            slack = p[other] - bound(p[text], q, len(text) - kept, len(other) - kept)
            assert slack > -1e-12, (text, other)
            least = min(least, slack) if text != other and p[other] > 0 else least
    assert least < 1e-9, "a tight one: nothing was given away"


def test_radii_by_hand() -> None:
    unanimous = 0.001 ** (1 / 1000)
    assert Deletion(probability=0.9).ceiling == 6, "log(1.5 - 0.99312) / log(0.9) = 6.45"
    assert Deletion(probability=0.6).ceiling == 1
    assert Deletion(probability=0.5, draws=100_000).ceiling == 0, "q = 1/2 certifies no edit whatever the votes"
    assert radius(0.75, 0.75) == 0 and radius(0.75 + 1e-9, 0.75) == 1, "a tie is no majority"
    how = Deletion("grapheme", 0.9)
    [found] = certify(KeywordClassifier({"yes": (), "no": ("x",)}), [Example("1", Item("calm " * 20), "en")], how, 0)
    assert (found.label, found.lower, found.units) == ("yes", pytest.approx(unanimous), 100)
    assert found.radius == 6
    assert found.insertions == 6, "0.9^6 > 0.5 / 0.99312 > 0.9^7"
    assert found.deletions == 40, "0.9^40 > 2 (1 - 0.99312) > 0.9^41"
    assert bound(found.lower, 0.9, 0, 6) > 0.5 > bound(found.lower, 0.9, 0, 7)
    assert bound(found.lower, 0.9, 40, 0) > 0.5 > bound(found.lower, 0.9, 41, 0)


@given(st.floats(0.5, 1, exclude_min=True), st.floats(0.01, 0.999))
def test_the_radius_is_the_last_that_stays_above_one_half(lower: float, q: float) -> None:
    reach = radius(lower, q)
    assert reach == 0 or bound(lower, q, reach, reach) > 0.5 - 1e-12
    assert bound(lower, q, reach + 1, reach + 1) <= 0.5 + 1e-12


TEXTS = [
    "",
    " ",
    "Ein spätes Tor, sagt er.",
    "नमस्ते दुनिया!",
    "天气 预报。",
    "👨‍👩‍👧 ok\r\n",
    "…«Да» — нет",
    "ภาษาไทย",
    "🇩🇪🇫🇷🇮🇹",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("unit", ["grapheme", "word"])
def test_units_joined_are_the_text(text: str, unit: str) -> None:
    found = segment(text, unit, "de")
    assert "".join(found) == text and all(found)


def test_a_word_goes_up_to_the_next() -> None:
    assert segment("«Ein spätes Tor», sagt er.", "word", "de") == ["«Ein ", "spätes ", "Tor», ", "sagt ", "er."]
    assert segment("नमस्ते", "grapheme", "hi") == ["न", "म", "स्", "ते"] or segment("नमस्ते", "grapheme", "hi") == [
        "न",
        "म",
        "स्ते",
    ]
    assert segment("?!", "word", "en") == ["?!"]


def test_copies_keep_whole_units_of_both_sides_at_the_rate_that_is_said() -> None:
    fake = KeywordClassifier({"a": (), "b": ()})
    text = "नमस्ते दुनिया 👨‍👩‍👧 é"
    certify(fake, [Example("1", Item(text, "x" * 50), "hi")], Deletion("grapheme", 0.7, 10, 400), 1)
    units = segment(text, "grapheme", "hi")
    assert len(fake.seen) == 410 and fake.calls == 1
    for copy in fake.seen:
        rest = iter(units)
        assert all(unit in rest for unit in segment(copy.text, "grapheme", "hi")), copy.text
    assert np.mean([len(copy.pair or "") for copy in fake.seen]) == pytest.approx(15, abs=0.6)


def test_draws_depend_on_the_text_and_the_seed_alone() -> None:
    fake = KeywordClassifier({"other": (), "sports": ("team",)})
    examples = [Example(str(n), Item(f"the team of {n}"), "en") for n in range(5)]
    how = Deletion("word", 0.5, 10, 50, 0.05)
    found = certify(fake, examples, how, 7)
    assert certify(fake, examples[::-1], how, 7) == found[::-1]
    assert certify(fake, examples, how, 8) != found
    assert certify(fake, [], how, 7) == []


def test_an_oracle_asks_for_equal_copies_once_and_keeps_its_limits() -> None:
    fake, how = KeywordClassifier({"other": (), "sports": ("team",)}), Deletion("word", 0.9, 10, 100, 0.05)
    examples = [Example("1", Item("one team"), "en")]
    oracle = Oracle(fake)
    [found] = certify(oracle, examples, how, 0)
    assert oracle.queries <= 4 and found.label == "other", "of two words there are four copies"
    with pytest.raises(BudgetSpent):
        certify(Oracle(fake, budget=1), examples, how, 0)
    with pytest.raises(DeadlinePassed):
        certify(Oracle(fake, deadline=0), examples, how, 0)


def test_the_lower_bound_fails_as_seldom_as_alpha_says() -> None:
    """A text of one word that decides: the label's probability is exactly 0.6."""
    fake, how = KeywordClassifier({"empty": (), "word": ("team",)}), Deletion("word", 0.6, 20, 100, 0.1)
    example = Example("1", Item("team"), "en")
    bounds = [certify(fake, [example], how, seed)[0].lower for seed in range(400)]
    # where the 20 copies select the less likely label its 0.4 is bounded, which no more than a tenth exceed either
    assert sum(lower > 0.6 for lower in bounds) <= 58, "40 expected at most; 58 has a chance below one in a hundred"
    assert np.mean(bounds) > 0.45, "not vacuous"


def test_the_smoothed_classifier_answers_shares_and_the_same_ones() -> None:
    fake = KeywordClassifier({"other": (), "sports": ("team",)})
    smoothed = Smoothed(fake, Deletion("word", 0.5, 10, 400), 3, "en")
    first, second = smoothed([Item("the team"), Item("a tree")])
    assert first == pytest.approx([0.5, 0.5], abs=0.1) and list(second) == [1.0, 0.0]
    assert (smoothed([Item("a tree"), Item("the team")])[1] == first).all()
    assert smoothed([]).shape == (0, 2)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"unit": "graphem"}, "did you mean 'grapheme'"),
        ({"probability": 1.0}, "above 0 and below 1"),
        ({"alpha": 0.7}, "alpha is above 0 and below 0.5"),
        ({"draws": 0}, "1 to 100000 copies"),
        ({"draws": 9}, "even a unanimous vote abstains; alpha 0.001 needs 10"),
        ({"selection": 10**6}, "selection are"),
    ],
)
def test_impossible_settings_are_refused(keys: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Deletion(**keys)  # type: ignore[arg-type]
