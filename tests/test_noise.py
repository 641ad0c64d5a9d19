"""Noise: identity at zero, the dose that was asked for, the same for the same seed, in every script."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes import languages, noise, perturbations
from probes.text import borders, graphemes, scripts, splice, words
from probes.types import Edit
from tests.golden import texts

NAMES = perturbations.names()
TEXTS = texts()
LATIN = "The committee announced an important plan because many students wanted new ideas and answers quickly. " * 40

codes = st.sampled_from((*languages.codes(), "yo", "und"))
a_text = st.sampled_from([text for _, text in TEXTS]) | st.text(st.characters(exclude_categories=()), max_size=60)
mixes = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4)
strengths = st.floats(0, 1)
seeds = st.integers(0, 2**32 - 1)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_the_sample_texts_are_of_fifty_languages_and_more():
    assert len({code for code, _ in TEXTS}) >= 60
    assert len(set().union(*(scripts(text) for _, text in TEXTS))) >= 28


@pytest.mark.parametrize(("code", "text"), TEXTS)
def test_strength_zero_gives_the_very_same_text(code, text):
    for chosen in ([name] for name in NAMES):
        assert noise.perturb(text, languages.get(code), chosen, 0.0, rng()) == text
        assert noise.sample(text, languages.get(code), chosen, 0.0, rng()) == ()
    assert noise.perturb(text, languages.get(code), NAMES, 0.0, rng()).encode("utf-8", "surrogatepass") == text.encode(
        "utf-8", "surrogatepass"
    )


@settings(max_examples=300, deadline=None)
@given(a_text, codes, mixes, strengths, seeds)
def test_sampled_edits_splice_on_borders_and_leave_the_rest(text, code, names, strength, seed):
    language = languages.get(code)
    edits = noise.sample(text, language, names, strength, rng(seed))
    result = splice(text, edits)
    assert noise.perturb(text, language, names, strength, rng(seed)) == result
    before, after, shift, done = borders(text), borders(result), 0, 0
    for edit in edits:
        assert edit.start in before and edit.end in before
        # Between two edits the graphemes are the same, at the same distance from each other.
        assert {i + shift for i in before if done <= i <= edit.start} == {
            i for i in after if done + shift <= i <= edit.start + shift
        }
        shift, done = shift + len(edit.new) - (edit.end - edit.start), edit.end
    if not {"homoglyph", "romanise", "script_variant", "transliteration", "wrong_layout"} & set(names):
        assert scripts(result).keys() <= scripts(text).keys()
    assert result.strip() or not text.strip()


@settings(max_examples=100, deadline=None)
@given(a_text, codes, mixes, strengths, seeds)
def test_the_same_seed_gives_the_same_edits(text, code, names, strength, seed):
    language = languages.get(code)
    assert noise.sample(text, language, names, strength, rng(seed)) == noise.sample(
        text, language, names, strength, rng(seed)
    )


def test_another_seed_gives_other_edits():
    language = languages.get("en")
    assert len({noise.perturb(LATIN, language, ["swap"], 0.1, rng(seed)) for seed in range(10)}) == 10


def test_no_global_randomness_is_touched():
    state = np.random.get_state()[1].copy()
    noise.perturb(LATIN, languages.get("en"), NAMES, 0.3, rng())
    assert (np.random.get_state()[1] == state).all()


@pytest.mark.parametrize("name", ["keyboard", "drop", "repeat", "invisible", "homoglyph"])
@pytest.mark.parametrize("strength", [0.02, 0.1, 0.25])
def test_the_dose_is_a_share_of_the_graphemes(name, strength):
    edits = noise.sample(LATIN, languages.get("en"), [name], strength, rng())
    assert len(edits) == pytest.approx(strength * len(graphemes(LATIN)), abs=1)


@pytest.mark.parametrize("name", ["case", "word_drop", "punctuation", "whitespace"])
def test_the_dose_is_a_share_of_the_words(name):
    language = languages.get("en")
    assert len(noise.sample(LATIN, language, [name], 0.2, rng())) == pytest.approx(
        0.2 * len(words(LATIN, language)), abs=1
    )


def test_a_share_of_one_edit_is_made_as_often():
    language = languages.get("en")
    counts = [len(noise.sample("abcdefgh", language, ["drop"], 0.05, rng(seed))) for seed in range(1000)]
    assert set(counts) == {0, 1}
    assert np.mean(counts) == pytest.approx(0.4, abs=0.05)


def test_units_share_the_strength():
    language = languages.get("en")
    edits = noise.sample(LATIN, language, ["drop", "case"], 0.2, rng())
    dropped = [edit for edit in edits if not edit.new]
    assert len(dropped) == pytest.approx(0.1 * len(graphemes(LATIN)), abs=1)
    assert len(edits) - len(dropped) == pytest.approx(0.1 * len(words(LATIN, language)), rel=0.1)


def test_every_place_is_as_likely():
    """A letter with one slip is hit as often as one with seven."""
    counts = {"b": 0, "q": 0}
    for seed in range(2000):
        (edit,) = noise.sample("bq", languages.get("en"), ["keyboard"], 0.5, rng(seed))
        counts["bq"[edit.start]] += 1
    assert counts["b"] == pytest.approx(1000, abs=100)


def test_full_strength_edits_all_there_is_and_leaves_something():
    language = languages.get("en")
    assert noise.perturb("abc", language, ["drop"], 1.0, rng()) != ""
    assert noise.perturb("one two three", language, ["word_drop"], 1.0, rng()).strip()
    assert len(noise.sample("abcdef", language, ["repeat"], 1.0, rng())) == 6


def test_what_does_not_apply_gives_nothing():
    assert noise.sample("今天天气", languages.get("zh"), ["case", "keyboard", "diacritics"], 1.0, rng()) == ()
    assert noise.sample("", languages.get("en"), NAMES, 1.0, rng()) == ()
    assert noise.sample("👍🏽 🇩🇪 123", languages.get("en"), ["drop", "swap", "keyboard"], 1.0, rng()) == ()


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_a_strength_that_is_no_share_is_refused(strength):
    with pytest.raises(ValueError, match="between 0 and 1"):
        noise.sample("text", languages.get("en"), ["drop"], strength, rng())


def melt(text, language):
    """Two edits, each harmless, that together make one syllable of two jamo."""
    yield Edit(0, 1, "\u1100")
    yield Edit(1, 2, "\u1161")


def test_edits_that_melt_together_are_not_both_made():
    name = f"{__name__}:melt"
    for seed in range(5):
        result = noise.perturb("ab", languages.get("ko"), [name], 1.0, rng(seed))
        assert len(graphemes(result)) == 2


@pytest.mark.parametrize("code", ["en", "hi", "zh"])
def test_fifty_kilobytes_take_no_time_to_speak_of(code):
    text = next(text for each, text in TEXTS if each == code)
    text *= 50_000 // len(text.encode())
    started = time.process_time()
    for name in ("keyboard", "swap", "word_drop"):
        noise.perturb(text, languages.get(code), [name], 0.1, rng())
    assert time.process_time() - started < 4
