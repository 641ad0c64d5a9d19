"""The report: rows worked out by hand, JSON that comes back byte for byte, and a schema it keeps to."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import probes
from probes.battery import load, parse, run
from probes.report import Outcome, Report, ReportError, difference
from probes.statistics.intervals import wilson
from probes.types import Edit, Example, Item
from tests.fakes_probes import EXAMPLES, make_topics

SCHEMA = json.loads((Path(probes.__path__[0]) / "report.schema.json").read_text(encoding="utf-8"))
STEPS = [{"name": name, "perturbations": ["drop"]} for name in ("typos", "case")]
PROVENANCE = run(parse({"steps": STEPS}), make_topics(), []).provenance


def outcome(example: str, status: str, step: str = "typos", lang: str = "en", gold: bool = True, **more) -> Outcome:
    wrong = status == "wrong_already"
    known = {} if status == "out_of_budget" else {"predicted_before": "b" if wrong else "a"}
    return Outcome(example, lang, step, more.pop("draw", 0), status, gold, "a", f"text {example}", **known, **more)


def report(*outcomes: Outcome) -> Report:
    return Report(outcomes, PROVENANCE)


def test_a_row_by_hand():
    [row] = report(
        outcome("1", "held", queries=1),
        outcome("2", "held", queries=3),
        outcome("3", "held", queries=9),
        outcome("4", "fooled", queries=1),
        outcome("5", "wrong_already"),
        outcome("6", "not_applicable"),
        outcome("7", "not_applicable"),
        outcome("8", "out_of_budget"),
    ).rows()
    assert (row.lang, row.step, row.n, row.flips, row.rate) == ("en", "typos", 4, 1, 0.25)
    assert (row.low, row.high) == pytest.approx(wilson(1, 4))
    assert (row.covered, row.total, row.coverage) == (5, 7, pytest.approx(5 / 7))
    assert row.clean is not None and (row.clean.value, row.clean.n) == (pytest.approx(6 / 7), 7)
    assert row.robust is not None and (row.robust.value, row.robust.n) == (3 / 5, 5)
    assert (row.out_of_budget, row.queries, row.measured) == (1, 2.0, True)


def test_the_identity_of_robust_accuracy():
    """Robust accuracy is clean accuracy times what holds, where the probe touches every text."""
    statuses = ("held", "fooled", "held", "wrong_already")
    [row] = report(*(outcome(str(i), status) for i, status in enumerate(statuses))).rows()
    assert row.robust and row.clean and row.rate is not None
    assert row.robust.value == pytest.approx(row.clean.value * (1 - row.rate))


@pytest.mark.parametrize("status", ["not_applicable", "wrong_already", "out_of_budget"])
def test_what_was_not_measured_has_no_rate(status):
    [row] = report(outcome("1", status), outcome("2", status)).rows()
    assert (row.n, row.rate, row.low, row.high, row.measured) == (0, None, None, None, False)


def test_without_gold_labels_there_is_no_accuracy():
    [row] = report(outcome("1", "held", gold=False), outcome("2", "fooled", gold=False)).rows()
    assert row.rate == 0.5 and row.clean is None and row.robust is None


def test_draws_of_one_example_do_not_narrow_the_interval():
    agreeing = [outcome(str(i), "fooled" if i < 2 else "held", draw=d) for i in range(6) for d in range(5)]
    [row] = report(*agreeing).rows()
    assert row.n == 30 and (row.low, row.high) == pytest.approx(wilson(2, 6))
    assert row.clean is not None and row.clean.n == 6, "an example has one clean prediction, however many draws"


def test_rows_by_language_by_step_and_by_both():
    found = report(
        outcome("1", "held"),
        outcome("1", "fooled", "case"),
        outcome("2", "fooled", lang="de"),
        outcome("2", "held", "case", "de"),
    )
    assert [(row.lang, row.step) for row in found.rows()] == [
        ("de", "typos"), ("de", "case"), ("en", "typos"), ("en", "case")
    ]  # fmt: skip
    assert [(row.lang, row.step, row.n) for row in found.rows(by=("lang",))] == [("de", None, 2), ("en", None, 2)]
    assert [(row.lang, row.step, row.n) for row in found.rows(by=("step",))] == [(None, "typos", 2), (None, "case", 2)]
    [whole] = found.rows(by=())
    assert (whole.n, whole.flips) == (4, 2)
    with pytest.raises(ValueError, match="not by colour"):
        found.rows(by=("colour",))


def test_gaps_compare_languages_and_difference_pairs_examples():
    english = [outcome(f"e{i}", "fooled" if i < 2 else "held") for i in range(10)]
    german = [outcome(f"d{i}", "fooled" if i < 7 else "held", lang="de") for i in range(10)]
    gaps = report(*english, *german).gaps("en")
    assert gaps.keys() == {"de"} and gaps["de"].value == pytest.approx(0.5)
    assert 0 < gaps["de"].low < 0.5 < gaps["de"].high < 1
    same = difference(english, english, seed=0)
    assert same is not None and (same.value, same.low, same.high) == (0, 0, 0)


def test_json_comes_back_and_keeps_to_the_schema():
    found = run(load("full"), make_topics(), EXAMPLES)
    text = found.to_json()
    jsonschema.validate(json.loads(text), SCHEMA, cls=jsonschema.Draft202012Validator)
    again = Report.from_json(text)
    assert again == found and again.to_json() == text


def test_the_schema_refuses_what_is_no_report():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    whole = json.loads(run(load("quick"), make_topics(), EXAMPLES).to_json())
    whole["outcomes"][0]["status"] = "fine"
    with pytest.raises(jsonschema.ValidationError, match="fine"):
        jsonschema.validate(whole, SCHEMA, cls=jsonschema.Draft202012Validator)


def test_a_report_can_be_run_again_from_itself():
    first = run(load("quick"), make_topics(), EXAMPLES)
    saved = Report.from_json(first.to_json())
    assert sorted(saved.examples(), key=lambda e: e.id) == sorted(EXAMPLES, key=lambda e: e.id)
    assert run(saved.battery, make_topics(), saved.examples()).to_json() == first.to_json()


def test_a_label_the_model_gave_is_not_taken_for_gold():
    [example] = run(load("quick"), make_topics(), [Example("x", Item("The team won."), "en")]).examples()
    assert example == Example("x", Item("The team won."), "en")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not a babelproof report"),
        ("[]", "not a babelproof report"),
        ('{"format": "other/9"}', "format 'other/9'; this version reads 'babelproof-report/1'"),
        ('{"format": "babelproof-report/1", "outcomes": [{"a": 1}], "provenance": {}}', "not a babelproof report"),
    ],
)
def test_what_is_no_report_is_refused(text, said):
    with pytest.raises(ReportError, match=said):
        Report.from_json(text)


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.builds(
            Outcome,
            example=TEXT,
            lang=st.sampled_from(["en", "de", "ar"]),
            step=st.sampled_from(["typos", "case"]),
            draw=st.integers(0, 3),
            status=st.sampled_from(["held", "fooled", "wrong_already", "not_applicable", "out_of_budget"]),
            gold=st.booleans(),
            label=st.none() | TEXT,
            before=TEXT,
            pair_before=st.none() | TEXT,
            after=st.none() | TEXT,
            edits=st.lists(st.builds(Edit, st.integers(0, 9), st.integers(0, 9), TEXT), max_size=3).map(tuple),
            probability_before=st.none() | st.floats(0, 1),
            queries=st.integers(0, 100),
        ),
        max_size=8,
    )
)
def test_any_report_comes_back_byte_for_byte(outcomes):
    found = report(*outcomes)
    text = found.to_json()
    text.encode("utf-8")
    assert Report.from_json(text) == found and Report.from_json(text).to_json() == text
    jsonschema.validate(json.loads(text), SCHEMA, cls=jsonschema.Draft202012Validator)
