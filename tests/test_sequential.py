"""Looking while answers come in: the confidence sequence holds at every look at once, and stopping saves texts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from probes.battery import parse, run
from probes.report import Report
from probes.running.state import State
from probes.statistics.sequential import Sequential, anytime_p, confidence_sequence, turn
from probes.statistics.significance import least, mid_p
from probes.statistics.verdicts import verdicts
from probes.types import Example, Item
from tests.fakes_probes import make_topics
from tests.fakes_verdicts import outcome, report


def looks(values: np.ndarray, rate: float) -> np.ndarray:
    """The p of every prefix of every row of values."""
    return anytime_p(values.cumsum(axis=1), np.arange(1, values.shape[1] + 1), rate)


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5])
def test_the_true_rate_is_hardly_ever_rejected_at_any_of_1000_looks(rate):
    rng = np.random.default_rng(0)
    flips = (rng.random((2000, 1000)) < rate).astype(float)
    ever = (looks(flips, rate) <= 0.05).any(axis=1).mean()
    assert 0.01 < ever <= 0.05, "valid, and not valid for being useless"
    shares = rng.beta(2 * rate, 2 * (1 - rate), (500, 500))
    assert (looks(shares, rate) <= 0.05).any(axis=1).mean() <= 0.05, "several draws of a text make shares"


def test_an_interval_that_is_looked_at_errs_where_a_sequence_does_not():
    flips = (np.random.default_rng(1).random((200, 500)) < 0.1).astype(float)
    n = np.arange(1, 501)
    fixed = mid_p(flips.cumsum(axis=1), n, 0.1)[:, 20:] <= 0.05
    assert fixed.any(axis=1).mean() > 0.2


@settings(max_examples=50)
@given(st.integers(1, 2000), st.sampled_from([0.9, 0.95, 0.999]), st.data())
def test_the_sequence_is_what_its_p_does_not_reject(n, confidence, data):
    total = data.draw(st.floats(0, n))
    low, high = confidence_sequence(total, n, confidence)
    assert 0 <= low <= total / n + 1e-9 and total / n - 1e-9 <= high <= 1
    for bound in (low, high):
        if 1e-9 < bound < 1 - 1e-9:
            assert float(anytime_p(total, n, bound)) == pytest.approx(1 - confidence, rel=1e-3)
    assert confidence_sequence(0, 0) == (0, 1)


def test_stopping_takes_less_than_half_of_what_a_fixed_size_takes_to_decide_as_many():
    """60 cells from untouched to hopeless, 10 % tolerated; the fixed size is the one that decides as many of them."""
    rng, level = np.random.default_rng(2), 0.05 / 60
    rates = np.concatenate([np.linspace(0, 0.05, 30), np.linspace(0.17, 0.7, 30)])
    flips = (rng.random((60, 1500)) < rates[:, None]).astype(float)
    decided = looks(flips, 0.1) <= level
    stops = np.where(decided.any(axis=1), decided.argmax(axis=1) + 1, 1500)

    def expected(n: int) -> float:
        few = np.arange(n + 1)
        return float(binom.pmf(few[:, None], n, rates)[mid_p(few, n, 0.1) <= level].sum())

    fixed = least(lambda n: expected(n) >= decided.any(axis=1).sum() - 0.5, 20, 1500)
    assert decided.any(axis=1).sum() >= 58 and fixed is not None
    assert stops.mean() < 0.5 * fixed, (stops.mean(), fixed)
    wrong = [rate for rate, n, row in zip(rates, stops, flips, strict=True) if (row[:n].mean() > 0.1) != (rate > 0.1)]
    assert not wrong


def test_a_cell_is_decided_once_and_others_are_not():
    watch = Sequential([("en", "typos"), ("de", "typos")], tolerated=0.1)
    assert not watch.decided("en", "typos")
    for start in range(0, 200, 20):
        watch.update(outcome(str(i), "held") for i in range(start, start + 20))
        watch.update(outcome(str(i), "fooled" if i % 10 == 0 else "held", "de") for i in range(start, start + 20))
    assert watch.decided("en", "typos") and not watch.decided("de", "typos")
    assert watch.provenance == {"tolerated": 0.1, "confidence": 0.95}
    watch.update(outcome(f"late{i}", "fooled") for i in range(50))
    assert watch.decided("en", "typos"), "what is decided stays decided"


def test_draws_of_one_text_are_one_text_and_what_could_not_flip_none():
    watch = Sequential([("en", "typos")], tolerated=0.1)
    watch.update([outcome("1", "fooled", draw=d) for d in range(500)])
    watch.update(outcome(str(i), "wrong_already") for i in range(500))
    assert not watch.decided("en", "typos")


def test_a_tolerated_rate_is_a_share():
    with pytest.raises(ValueError, match="not 1"):
        Sequential([("en", "typos")], tolerated=1.0)


def test_the_order_of_texts_is_the_seeds_alone():
    ids = [f"id{i:02}" for i in range(100)]

    def asked(seed, ids):
        with State(None, {}, []) as state:
            state.stage([Example(name, Item("The team won."), "en") for name in ids], seed)
            return [example.id for block in state.blocks() for example in block.examples]

    one, other = asked(0, ids), asked(1, ids)
    assert one != other and sorted(one) == ids != one == asked(0, ids[::-1])


def test_a_run_stops_where_it_knows_and_its_verdicts_say_so():
    texts = [Example(str(i), Item(f"The team of {i} won the last game again."), "en", "sports") for i in range(400)]
    steps = [{"name": "gaps", "perturbations": ["whitespace"]}, {"name": "case", "perturbations": ["case"]}]
    battery = parse({"steps": steps})
    watch = Sequential([("en", "gaps"), ("en", "case")], tolerated=0.3)
    stopped = run(battery, make_topics(), texts, stopping=watch)
    assert len(stopped.outcomes) < 800 and stopped.provenance["stopping"] == watch.provenance
    found = verdicts(Report.from_json(stopped.to_json()), tolerated=0.3)
    assert [one.ruling == "undecided" for one in found] == [not watch.decided(one.lang, one.step) for one in found]
    assert any(one.ruling == "robust" for one in found)
    fixed = verdicts(Report(stopped.outcomes, {**stopped.provenance, "stopping": None}), tolerated=0.3)
    for one, other in zip(found, fixed, strict=True):
        assert one.high > other.high, "what was looked at all along has the wider interval"


def test_what_was_decided_stays_decided_in_the_verdict():
    """The texts that were under way when it was decided bring the rate back to what is tolerated."""
    order = sorted((str(i) for i in range(400)), key=lambda id_: turn(0, id_, "en"))
    outcomes = [outcome(id_, "held" if place < 100 or place % 2 else "fooled") for place, id_ in enumerate(order)]
    watch = Sequential([("en", "typos")], tolerated=0.3)
    watch.update(one for one in outcomes if order.index(one.example) < 100)
    assert watch.decided("en", "typos")
    [found] = verdicts(report(outcomes, ["typos"], stopping=watch.provenance, seed=0), tolerated=0.3)
    assert found.ruling == "robust" and found.rate == 0 and found.high < 0.3 and found.texts < 100
    [fixed] = verdicts(report(outcomes, ["typos"]), tolerated=0.3)
    assert fixed.ruling != "robust"
