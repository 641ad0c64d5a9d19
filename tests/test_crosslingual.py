"""Measures across languages: by hand, and the worst language's bound by how often it errs."""

from __future__ import annotations

import numpy as np
import pytest

from probes.statistics.crosslingual import across, by_cell, extreme
from tests.fakes_verdicts import LANGS, drawn, even, outcome, report


def texts(lang: str, held: int, fooled: int, wrong: int, step: str = "typos") -> list:
    statuses = ["held"] * held + ["fooled"] * fooled + ["wrong_already"] * wrong
    return [outcome(f"t{i}", status, lang, step) for i, status in enumerate(statuses)]


WHOLE = report([*texts("en", 18, 0, 2), *texts("de", 12, 4, 4), *texts("hi", 6, 9, 5)])


@pytest.mark.parametrize(
    ("quantity", "values", "n"),
    [
        ("clean-accuracy", {"en": 0.9, "de": 0.8, "hi": 0.75}, 60),
        ("robust-accuracy", {"en": 0.9, "de": 0.6, "hi": 0.3}, 60),
        ("held", {"en": 1.0, "de": 0.75, "hi": 0.4}, 49),
        ("flip-rate", {"en": 0.0, "de": 0.25, "hi": 0.6}, 49),
    ],
)
def test_every_measure_by_hand(quantity, values, n):
    found = across(WHOLE, quantity)
    rates = np.array(list(values.values()))
    assert {lang: found.language(lang).value for lang in values} == pytest.approx(values)
    assert (found.mean().value, found.mean().n) == (pytest.approx(rates.mean()), n)
    assert found.spread().value == pytest.approx(np.ptp(rates))
    assert found.deviation().value == pytest.approx(rates.std())
    gap = found.transfer_gap("en")
    assert gap.value == pytest.approx(values["en"] - (values["de"] + values["hi"]) / 2)
    assert gap.low <= gap.value <= gap.high
    lang, worst = found.worst()
    assert lang == "hi" and worst.low < worst.value < worst.high and worst.n == (15 if n == 49 else 20)


def test_the_worst_of_flips_is_the_highest():
    found = across(WHOLE, "flip-rate")
    assert found.upside_down and found.worst()[0] == "hi" and found.worst()[1].value == pytest.approx(0.6)


def test_the_bound_of_the_worst_language_is_simultaneous_and_honest():
    """All languages alike: the worst seen is too low, its plain interval misses, the simultaneous one does not."""
    rng, rates = np.random.default_rng(0), even(0.2, [f"l{i:02}" for i in range(12)], ["typos"])
    plain = simultaneous = 0
    for _ in range(40):
        found = across(drawn(rates, rng, texts=50), "robust-accuracy")
        lang, worst = found.worst()
        simultaneous += worst.low <= 0.8 <= worst.high
        plain += found.language(lang).low <= 0.8 <= found.language(lang).high
    assert simultaneous >= 37 > plain


def test_translations_are_resampled_together():
    """The same texts fail in both languages: apart, the gap between them would look uncertain."""
    same = [outcome(f"t{i}", "fooled" if i % 3 == 0 else "held", lang) for lang in ("en", "de") for i in range(60)]
    apart = [
        outcome(f"{lang}{i}", "fooled" if i % 3 == 0 else "held", lang) for lang in ("en", "de") for i in range(60)
    ]
    together, alone = (across(report(one), "held").transfer_gap() for one in (same, apart))
    assert together.high - together.low == pytest.approx(0) and alone.high - alone.low > 0.2


def test_chance_alone_makes_languages_differ_and_the_interval_knows():
    found = across(drawn(even(0.3), np.random.default_rng(5), texts=60), "held")
    assert found.spread().value > 0 and found.spread().low == 0


def test_all_right_is_not_certain():
    found = across(report([*texts("en", 20, 0, 0), *texts("de", 20, 0, 0)]), "robust-accuracy").mean()
    assert found.value == 1 and 0.8 < found.low < 1


def test_what_does_not_count():
    sought = [outcome(f"s{i}", "fooled", "en", "case", goal="targeted:b") for i in range(20)]
    untouched = [outcome(f"u{i}", "not_applicable", "de", "case") for i in range(18)]
    sparse = [outcome(f"v{i}", "fooled", "de", "case") for i in range(2)]
    found = report([*texts("en", 20, 0, 0), *texts("de", 10, 10, 0), *sought, *untouched, *sparse])
    assert {lang: across(found, "held").language(lang).value for lang in ("de", "en")} == {"de": 0.5, "en": 1.0}
    assert across(found, "held", step="case").counts["de"] == {}, "the step covers a tenth of the texts"
    assert across(found, "held", step="case").language("en").value == 0
    assert ("de", "case") not in by_cell(found, "held")


def test_a_language_that_was_not_measured_is_there_without_a_value():
    found = across(report([*texts("en", 5, 0, 0), *texts("de", 0, 0, 5)]), "held")
    assert found.counts["de"] == {} and found.language("de") is None and found.mean().value == 1
    assert found.transfer_gap() is None and extreme({}, 0.95) is None
    assert across(report([]), "held").worst() is None and across(report([]), "held").mean() is None


def test_equal_reports_give_equal_intervals():
    one, other = (across(drawn(even(0.2), np.random.default_rng(7)), "held", seed=3).mean() for _ in range(2))
    assert one == other and set(across(drawn(even(0.2), np.random.default_rng(7)), "held").counts) == set(LANGS)


def test_three_texts_that_are_all_right_say_nothing_of_spread_or_gap():
    found = across(report([*texts("en", 3, 0, 0), *texts("de", 3, 0, 0), *texts("hi", 3, 0, 0)]), "held")
    spread, deviation, gap = found.spread(), found.deviation(), found.transfer_gap()
    assert (spread.value, spread.low) == (0, 0) and spread.high > 0.6
    assert deviation.low == 0 and deviation.high == pytest.approx(spread.high / 2)
    assert gap.value == 0 and gap.low < -0.6 and gap.high > 0.6
    torn = across(report([*texts("en", 40, 0, 0), *texts("de", 0, 40, 0)]), "held")
    assert torn.spread().value == 1 and 0.7 < torn.spread().low < 1
    assert torn.mean().value == 0.5 and torn.mean().low < 0.5 < torn.mean().high


def test_an_attack_with_another_goal_is_no_lost_accuracy():
    sought = [outcome(f"s{i}", "fooled", "en", "case", goal="confidence:0.2") for i in range(20)]
    found = report([*texts("en", 20, 0, 0), *sought])
    assert set(by_cell(found, "robust-accuracy")) == {("en", "typos")}
    assert set(by_cell(found, "flip-rate", "case")) == {("en", "case"), ("en", "typos")}


def test_the_reference_is_known_by_any_of_its_codes():
    other = report([*texts("eng", 18, 2, 0), *texts("de", 10, 10, 0)])
    assert across(other, "held").transfer_gap("en").value == pytest.approx(0.4)
    assert set(other.gaps("en")) == {"de"}
