"""Verdicts: robust, fragile, undecided; how often they err, and whether as many texts as they ask for decide."""

from __future__ import annotations

import json

import numpy as np
import pytest

from probes.render import verdicts as rendering
from probes.statistics.flips import Flips, flips, kind
from probes.statistics.significance import holm, mid_p
from probes.statistics.verdicts import verdicts
from tests.fakes_verdicts import drawn, even, outcome, report


def rulings(found) -> dict[tuple[str, str], str]:
    return {(one.lang, one.step): one.ruling for one in found}


def test_cells_far_from_what_is_tolerated_are_decided_and_others_not():
    rates = even(0.01) | {("de", "typos"): 0.4, ("hi", "case"): 0.1}
    found = verdicts(drawn(rates, np.random.default_rng(1), texts=200), tolerated=0.1)
    said = rulings(found)
    assert said[("de", "typos")] == "fragile" and said[("hi", "case")] == "undecided"
    assert {said[cell] for cell in rates if rates[cell] == 0.01} == {"robust"}
    [german] = [one for one in found if one.ruling == "fragile"]
    assert german.low > 0.1 and german.adjusted <= 0.05 and german.more is None
    assert german.said.startswith("de typos: fragile; ") and "of 200 tries flipped" in german.said
    [hindi] = [one for one in found if one.ruling == "undecided"]
    assert hindi.low < 0.1 < hindi.high and hindi.adjusted > 0.05


def test_the_adjusted_p_is_holms_and_the_intervals_are_simultaneous():
    found = verdicts(drawn(even(0.1), np.random.default_rng(1)), tolerated=0.2)
    assert all(one.p <= one.adjusted <= min(1, len(found) * one.p) for one in found)
    alone = verdicts(drawn({("de", "typos"): 0.1}, np.random.default_rng(1)), tolerated=0.2)
    assert alone[0].p == alone[0].adjusted
    assert found[0].high - found[0].low > alone[0].high - alone[0].low


def test_no_verdict_is_wrong_in_95_of_100_reports():
    """Rates on both sides of, and at, what is tolerated; a verdict is wrong that names the other side, or one at it."""
    rates = np.array([0.02, 0.05, 0.08, 0.1, 0.1, 0.1, 0.1, 0.1, 0.12, 0.15, 0.2, 0.3])
    flips = np.random.default_rng(0).binomial(60, rates, (2000, len(rates)))
    adjusted = np.array([holm(p) for p in mid_p(flips, 60, 0.1)])
    wrong = (adjusted <= 0.05) & np.where(flips > 6, rates <= 0.1, rates >= 0.1)
    assert 0.01 <= wrong.any(axis=1).mean() <= 0.05
    for row, p in zip(flips[:2], adjusted, strict=False):
        cells = [
            outcome(f"{i}", "fooled" if i < k else "held", f"l{c:02}") for c, k in enumerate(row) for i in range(60)
        ]
        assert [one.adjusted for one in verdicts(report(cells), tolerated=0.1)] == pytest.approx(list(p))


@pytest.mark.parametrize("rate", [0.06, 0.22])
def test_as_many_texts_as_are_asked_for_decide(rate):
    """From a first look that happens to show the true rate, its `more` texts decide in about 80 of 100."""
    few = 40
    shown = [outcome(str(i), "fooled" if i < round(rate * few) else "held") for i in range(few)]
    others = [outcome(str(i), "held", step="case") for i in range(few)]
    [first] = [one for one in verdicts(report([*shown, *others]), tolerated=0.12) if one.step == "typos"]
    assert first.ruling == "undecided" and first.more
    total, decided = few + first.more, 0
    for seed in range(30):
        both = {("en", "typos"): rate, ("en", "case"): 0.12}
        again = verdicts(drawn(both, np.random.default_rng(seed), texts=total), tolerated=0.12)
        decided += rulings(again)["en", "typos"] != "undecided"
    assert decided >= 20


def test_more_counts_the_texts_that_cannot_flip_too():
    held = [outcome(str(i), "held") for i in range(10)]
    [alone] = verdicts(report(held), tolerated=0.1)
    [half] = verdicts(report([*held, *(outcome(f"n{i}", "not_applicable") for i in range(5))]), tolerated=0.1)
    assert alone.n == half.n == 10 and half.more == pytest.approx(1.5 * alone.more, abs=2)
    at = [outcome(str(i), "fooled" if i < 1 else "held") for i in range(10)]
    [never] = verdicts(report(at), tolerated=0.1)
    assert never.more is None and "no number of texts would decide" in never.said


def test_draws_of_one_text_do_not_decide():
    draws = [outcome(str(i), "fooled", draw=d) for i in range(3) for d in range(100)]
    [found] = verdicts(report(draws), tolerated=0.1)
    assert (found.n, found.texts, found.size) == (300, 3, 3)
    assert found.p == pytest.approx(0.1**3, rel=1e-6), "half the chance of three in three, on both sides"


def test_power_is_the_chance_to_find_half_the_tolerated_rate_robust():
    few, many = (
        verdicts(report([outcome(str(i), "held") for i in range(n)]), tolerated=0.1)[0].power for n in (20, 600)
    )
    assert few == 0 and 0.95 < many < 1


def test_what_is_not_measured_has_no_verdict_and_is_no_test():
    cells = [outcome(str(i), "held") for i in range(60)] + [outcome(str(i), "wrong_already", "de") for i in range(9)]
    found = {one.lang: one for one in verdicts(report(cells))}
    assert found["de"].ruling == "not measured" and found["de"].adjusted is None
    assert found["de"].said == "de typos: not measured"
    assert found["en"].p == found["en"].adjusted
    with pytest.raises(ValueError, match="not 0"):
        verdicts(report(cells), tolerated=0)


def test_flips_are_told_apart():
    healed = outcome("3", "wrong_already", predicted_after="a")
    aside = outcome("4", "wrong_already", predicted_before="b", predicted_after="c")
    stays = outcome("5", "wrong_already", predicted_after="b")
    own = outcome("7", "fooled", gold=False)
    all_ = [outcome("1", "held"), outcome("2", "fooled"), healed, aside, stays, outcome("6", "wrong_already"), own]
    assert [kind(one) for one in all_] == [None, "harmful", "healing", "lateral", None, None, "unlabelled"]
    assert flips(all_) == Flips(1, 1, 1, 1, right=2, wrong=3, without_gold=1)


def test_what_is_lost_is_harm_less_healing():
    outcomes = [outcome(str(i), "fooled" if i < 4 else "held") for i in range(20)]
    outcomes += [outcome(f"w{i}", "wrong_already", predicted_after="a" if i < 1 else "b") for i in range(5)]
    [found] = verdicts(report(outcomes))
    assert found.lost.value == pytest.approx((4 - 1) / 25) and found.lost.low < 0.12 < found.lost.high
    assert (found.flips_by_kind.harmful, found.flips_by_kind.healing, found.flips_by_kind.lateral) == (4, 1, 0)


def test_verdicts_are_shown_worst_first_and_as_json():
    saved = drawn(even(0.01) | {("zh", "case"): 0.6}, np.random.default_rng(3), texts=150, right=0.9)
    found = verdicts(saved)
    first = rendering.rows(found)[0]
    assert (first["language"], first["step"], first["verdict"]) == ("zh Chinese", "case", "fragile")
    page = rendering.markdown(saved, found)
    assert "8 cells, 10 % tolerated: 1 fragile" in page and "| zh Chinese | case | fragile |" in page
    whole = json.loads(rendering.to_json(saved, found))
    assert whole["across"]["robust-accuracy"]["worst_language"] == "zh"
    assert len(whole["verdicts"]) == 8 and whole["verdicts"][0]["flips_by_kind"]["right"] > 0
