"""Comparing reports: what is chance passes, what is broken is named, what cannot be compared is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from zlib import crc32

import numpy as np
import pytest

from probes.battery import parse, run
from probes.render import comparison as rendering
from probes.report import ReportError
from probes.statistics.comparison import ALL, CLEAN, compare
from probes.types import Example, Item
from runtime.gating import losses
from tests.fakes_verdicts import LANGS, drawn, even, outcome, report

STEPS = ("typos", "case", "gaps")


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_row_by_hand():
    before = [outcome(str(i), "held" if i < 12 else "wrong_already") for i in range(20)]
    after = [outcome(str(i), "held" if 8 <= i < 13 else "fooled" if i < 12 else "wrong_already") for i in range(20)]
    after[12] = outcome("12", "held")
    rows = {row.step: row for row in compare(report(before), report(after)).rows}
    assert list(rows) == [CLEAN, ALL, "typos"]
    row = rows["typos"]
    assert (row.texts, row.first, row.second, row.lost, row.gained) == (20, 0.6, 0.25, 8, 1)
    assert row.p == pytest.approx(20 / 512), "2 (1 + 9) / 2^9"
    assert row.adjusted == pytest.approx(3 * row.p), "three rows: the clean texts, all steps, and the step"
    assert row.difference.value == pytest.approx(-0.35) and row.difference.low < -0.35 < row.difference.high < 0
    assert (rows[CLEAN].lost, rows[CLEAN].gained) == (0, 1)


def test_draws_of_a_text_are_one_text():
    before = [outcome(str(i), "held", draw=d) for i in range(10) for d in range(4)]
    after = [outcome(str(i), "fooled" if d < i % 3 else "held", draw=d) for i in range(10) for d in range(4)]
    row = next(row for row in compare(report(before), report(after)).rows if row.step == "typos")
    assert (row.texts, row.lost, row.gained) == (10, 6, 0) and row.second == pytest.approx(1 - 9 / 40)


def test_a_model_that_did_not_change_passes_in_95_of_100_seeded_repeats():
    """Other draws of the noise on the same texts, without any margin."""
    failed = 0
    for seed in range(100):
        baseline, again = (drawn(even(0.15), rng(2 * seed + i), texts=20, right=0.8, clean=rng(seed)) for i in (0, 1))
        failed += bool(losses(compare(baseline, again)))
    assert failed <= 5


class Topics:
    """Right on the clean texts and on 19 of 20 edited ones, but in the broken language on none with other spaces."""

    labels = ("a", "b")

    def __init__(self, clean: set[str], broken: str | None = None) -> None:
        self._clean, self._broken = clean, broken
        self._letters = {"".join(text.split()) for text in clean}

    def __call__(self, items):
        lost = [item.text not in self._clean and self._slips(item.text) for item in items]
        return np.array([[0.1, 0.9] if one else [0.9, 0.1] for one in lost], dtype=np.float32)

    def _slips(self, text: str) -> bool:
        spaced = text.startswith(self._broken or "none") and "".join(text.split()) in self._letters
        return spaced or crc32(text.encode()) % 20 == 0


TEXTS = [Example(f"{lang}{i}", Item(f"{lang} text {i} is read again."), lang, "a") for lang in LANGS for i in range(30)]


def probed(seed: int, broken: str | None = None, texts=TEXTS):
    steps = [{"name": "gaps", "perturbations": ["whitespace"]}, {"name": "swaps", "perturbations": ["swap"]}]
    classifier = Topics({example.item.text for example in TEXTS}, broken)
    return run(parse({"seed": seed, "steps": steps}), classifier, texts)


def test_an_unchanged_model_under_new_noise_passes_in_95_of_100_seeded_repeats():
    """The whole way: a model, noise drawn anew in every run, the gate, and no margin."""
    baseline = probed(0, texts=TEXTS[::3])
    assert sum(o.status == "fooled" for o in baseline.outcomes), "the noise does something"
    assert sum(bool(losses(compare(baseline, probed(seed, texts=TEXTS[::3])))) for seed in range(1, 101)) <= 5


def test_a_model_broken_in_one_language_is_named_with_its_probe():
    baseline = probed(0)
    assert losses(compare(baseline, probed(1), margin=0.02)) == []
    said = losses(compare(baseline, probed(1, broken="hi"), margin=0.02))
    assert said and all("hi (Hindi)" in line for line in said)
    assert "hi (Hindi), gaps: 0." in said[0] and not any("swaps" in line for line in said)


def test_a_language_that_lost_its_labels_is_named_though_nothing_flips():
    baseline = drawn(even(0.05), rng(0), texts=60, clean=rng(9))
    german = [
        o if o.lang != "de" else replace(o, status="wrong_already", predicted_before="b") for o in baseline.outcomes
    ]
    worse = compare(baseline, replace(baseline, outcomes=tuple(german)), margin=0.02).worse
    assert {row.lang for row in worse} == {"de"} and {row.step for row in worse} == {CLEAN, ALL, "typos", "case"}


def test_it_takes_texts_to_show_that_no_more_than_the_margin_is_lost():
    few, many = (drawn(even(0.1), rng(0), texts=n) for n in (30, 900))
    assert len(losses(compare(few, few, margin=0.02), strict=True)) == 2 * len(LANGS)
    assert losses(compare(many, many, margin=0.02), strict=True) == []
    assert {row.change for row in compare(many, many, margin=0.02).rows} == {"not worse"}


def test_only_what_both_settled_is_compared_and_the_rest_is_said():
    first = report([*(outcome(str(i), "held") for i in range(10)), outcome("x", "held", "de")])
    second = report([*(outcome(str(i), "held" if i < 6 else "out_of_budget") for i in range(10))])
    found = compare(first, second)
    assert next(row for row in found.rows if row.step == "typos").texts == 6
    assert ("de", "typos") in found.only_first and found.only_second == ()
    assert "settled in the first alone" in rendering.summary(found)


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (report([outcome("1", "held", before="other")]), "en example '1' has another text or label"),
        (report([outcome("9", "held")]), "no text in common"),
        (report([outcome("1", "held")], stopping={"tolerated": 0.1}), "the second report is of a run that stopped"),
    ],
)
def test_what_cannot_be_compared_is_refused(second, said):
    with pytest.raises(ReportError, match=said):
        compare(report([outcome("1", "held")]), second)


def test_a_step_that_changed_under_its_name_is_refused():
    first = report([outcome("1", "held")])
    battery = json.loads(json.dumps(first.provenance["battery"]))
    battery["steps"][0]["strength"] = 0.3
    with pytest.raises(ReportError, match=r"'typos' is not the same in both: strength 0.1 and 0.3"):
        compare(first, replace(first, provenance={**first.provenance, "battery": battery}))
    with pytest.raises(ReportError, match="margin"):
        compare(first, first, margin=1.0)


def test_a_comparison_is_shown_with_what_changed_and_is_equal_json():
    one, other = (drawn(even(rate, LANGS[:2], STEPS), rng(1), texts=80) for rate in (0.02, 0.4))
    found = compare(one, other, margin=0.02)
    assert found.to_json() == compare(one, other, margin=0.02).to_json()
    assert json.loads(found.to_json())["rows"][0]["step"] == CLEAN
    told = rendering.rows(found, every=False)
    assert {row["change"] for row in told if row["step"] == "gaps"} == {"worse"}
    quiet = rendering.rows(compare(one, one), every=False)
    assert {row["step"] for row in quiet} == {CLEAN, ALL} and len(rendering.rows(compare(one, one))) == 10
    assert "| de German | gaps |" in rendering.markdown(found)
