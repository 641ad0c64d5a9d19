"""Bars on the command line: how they are written, what fails, and what is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from probes.report import Report
from probes.statistics.crosslingual import across
from runtime.cli import app
from runtime.gating import Bars, Gate, GateError
from tests.fakes_probes import EXAMPLES
from tests.fakes_verdicts import drawn, even, outcome, report

MODEL = "tests.fakes_probes:make_topics"
WEAK = drawn(even(0.02) | {("hi", "case"): 0.6}, np.random.default_rng(0), texts=100, right=0.95)


def call(*arguments: str, status: int = 0) -> str:
    found = CliRunner().invoke(app, arguments, env={"COLUMNS": "220", "TERM": "dumb"})
    assert found.exit_code == status, found.output
    assert "Traceback" not in found.output
    return found.output if status else found.stdout


@pytest.mark.parametrize(
    ("text", "quantity", "subject", "part", "bound"),
    [
        ("worst-language:lower-bound>=0.70", None, "worst-language", "lower-bound", 0.7),
        (" worst-language : lower-bound >= 0.70 ", None, "worst-language", "lower-bound", 0.7),
        ("mean>=.9", None, "mean", "estimate", 0.9),
        ("flip-rate<=0.1", "flip-rate", "mean", "estimate", 0.1),
        ("flip-rate@worst-cell:upper-bound<0.3", "flip-rate", "worst-cell", "upper-bound", 0.3),
        ("clean-accuracy@zh-Hant>0.5", "clean-accuracy", "zh-Hant", "estimate", 0.5),
        ("hi/case>=0.5", None, "hi/case", "estimate", 0.5),
        ("look-alikes>=0.5", None, "look-alikes", "estimate", 0.5),
        ("0.8", "held", "worst-language", "estimate", 0.8),
        ("de=0.9", "held", "de", "estimate", 0.9),
    ],
)
def test_a_bar_is_read(text, quantity, subject, part, bound):
    gate = Gate.parse(text)
    assert (gate.quantity, gate.subject, gate.part, gate.bound) == (quantity, subject, part, bound)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("much", "'much' is no bar; it is written [QUANTITY@]SUBJECT"),
        ("mean", "is no bar"),
        ("mean=>0.5", "is no bar"),
        ("mean>=0.5 and de>=0.5", "is no bar"),
        ("mean>=half", "'half' is no share; a number like 0.70 was expected"),
        ("mean>=70", "'70' is no share"),
        ("mean>=nan", "'nan' is no share"),
        ("mean:lower>=0.5", "no part of an estimate is called 'lower'; did you mean 'lower-bound'?"),
        ("robust-acuracy@mean>=0.5", "no quantity is called 'robust-acuracy'; did you mean 'robust-accuracy'?"),
    ],
)
def test_a_bar_that_says_nothing_is_refused(text, said):
    with pytest.raises(GateError) as error:
        Gate.parse(text)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("worst-langage>=0.5", "no measure, step or language of the run is called 'worst-langage'; did you mean"),
        ("de/typo>=0.5", "no step of the battery is called 'typo'; did you mean 'typos'?"),
    ],
)
def test_a_subject_nobody_knows_is_refused_before_the_run(text, said):
    with pytest.raises(GateError) as error:
        Bars.parse([text]).check(["typos", "case"])
    assert said in str(error.value)
    Bars.parse(["worst-language>=0", "typos>=0", "de>=0", "de/case>=0"]).check(["typos", "case"])


def test_a_language_that_is_not_in_the_report_is_refused():
    with pytest.raises(GateError, match="language of the run is called 'fr'"):
        Gate.parse("fr>=0.5").failure(WEAK)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("worst-language:lower-bound>=0.70", "robust-accuracy of hi 0.6"),
        ("mean:lower-bound>=0.9", "robust-accuracy of mean 0.8"),
        ("worst-cell>=0.7", "robust-accuracy of hi/case 0.3"),
        ("hi/case>=0.7", "robust-accuracy of hi/case 0.3"),
        ("flip-rate@worst-language<=0.2", "flip-rate of hi 0.3"),
        ("flip-rate@case<=0.1", "worst in hi (Hindi) under case"),
        ("spread<=0.1", "worst in hi (Hindi) under case: 0.3"),
        ("transfer-gap<=0.05", "robust-accuracy of transfer-gap 0."),
        ("0.9", "held of hi 0.6"),
        ("hi=0.9", "worst in hi (Hindi) under case"),
    ],
)
def test_what_is_not_cleared_is_named_with_language_and_probe(text, said):
    line = Gate.parse(text).failure(WEAK)
    assert line is not None and line.startswith(f"{text} is not met: ") and said in line


@pytest.mark.parametrize(
    "text", ["worst-language:lower-bound>=0.4", "mean>=0.8", "flip-rate<=0.3", "typos>=0.8", "de>=0.8", "deviation<0.3"]
)
def test_what_is_cleared_says_nothing(text):
    assert Gate.parse(text).failure(WEAK) is None


def test_the_bound_is_the_measures_own():
    low = across(WEAK, "robust-accuracy").worst()[1].low
    assert Gate.parse(f"worst-language:lower-bound>={low - 1e-6:.6f}").failure(WEAK) is None
    assert Gate.parse(f"worst-language:lower-bound>={low + 1e-5:.6f}").failure(WEAK)


def test_what_was_not_measured_is_not_cleared():
    found = report([outcome("1", "held"), outcome("2", "not_applicable", "de")])
    assert "of de was not measured" in str(Gate.parse("worst-language>=0").failure(found))
    assert "of de/typos was not measured" in str(Gate.parse("de/typos>=0").failure(found))
    own = report([outcome(str(i), "held", gold=False) for i in range(9)])
    assert Gate.parse("mean>=1").failure(own) is None, "without gold labels it is the share that held"
    assert "robust-accuracy of en was not measured" in str(Gate.parse("robust-accuracy@mean>=0").failure(own))


@pytest.fixture
def data(tmp_path):
    file = tmp_path / "data.jsonl"
    rows = [{"id": e.id, "lang": e.lang, "text": e.item.text, "label": e.label} for e in EXAMPLES]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(file)


def saved(folder: Path, name: str, found: Report) -> str:
    (folder / name).write_text(found.to_json(), encoding="utf-8")
    return str(folder / name)


def test_run_fails_under_every_bar_that_is_not_cleared(data):
    arguments = ("run", "adversarial", "--model", MODEL, "--data", data, "--lang", "en", "--limit", "2")
    said = call(*arguments, "--fail-under", "worst-language:lower-bound>=0.7", "--fail-under", "mean>=0", status=1)
    [line] = [line for line in said.splitlines() if line.startswith("failed: ")]
    assert "worst-language:lower-bound>=0.7 is not met: robust-accuracy of en" in line and "(English) under" in line
    call(*arguments, "--fail-under", "en>=0")
    assert "did you mean" in call(*arguments, "--fail-under", "worst-langage>=0.5", status=2)


def test_run_against_a_baseline(data, tmp_path):
    call("run", "quick", "--model", MODEL, "--data", data, "--out", str(tmp_path))
    baseline = str(tmp_path / "report.json")
    call("run", baseline, "--model", MODEL, "--baseline", baseline, "--margin", "0.02")
    said = call("run", baseline, "--model", MODEL, "--baseline", baseline, "--strict", status=1)
    assert "failed: not shown to lose at most 0.02: de (German), clean texts" in said
    call("run", baseline, "--model", MODEL, "--strict", status=2)
    call("run", baseline, "--model", MODEL, "--baseline", baseline, "--margin", "2", status=2)


def test_compare_reports(tmp_path):
    good = drawn(even(0.02), np.random.default_rng(0), texts=100, right=0.95)
    before, after = saved(tmp_path, "a.json", good), saved(tmp_path, "b.json", WEAK)
    assert "hi Hindi" in call("compare", before, after), "without a margin it shows, and fails nothing"
    said = call("compare", before, after, "--margin", "0.02", status=1)
    failed = [line for line in said.splitlines() if line.startswith("failed: ")]
    assert failed[0].startswith("failed: worse by more than 0.02: hi (Hindi), case: 0.9") and len(failed) == 2
    assert "not met" in call("compare", before, after, "--fail-under", "worst-language>=0.9", status=1)
    out = tmp_path / "out.md"
    whole = json.loads(call("compare", before, after, "--json", "--out", str(out)))
    assert whole["format"] == "babelproof-comparison/1" and "| hi Hindi | case |" in out.read_text(encoding="utf-8")


def test_compare_models_and_a_model_with_a_report(data, tmp_path):
    models = call("compare", MODEL, MODEL, "--battery", "quick", "--data", data, "--limit", "1")
    assert "all steps" in models
    call("run", "quick", "--model", MODEL, "--data", data, "--out", str(tmp_path))
    whole = json.loads(call("compare", str(tmp_path / "report.json"), MODEL, "--json"))
    assert all(row["first"] == row["second"] for row in whole["rows"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compare", MODEL, MODEL], "say which with --battery and --data"),
        (["compare", "A", "A", "--battery", "quick"], "--battery: a report says itself what it was probed with"),
        (["compare", "A", "none.json"], "none.json cannot be read"),
        (["compare", "A", "A", "--strict"], "say how much with --margin"),
        (["compare", "A", "A", "--margin", "1"], "--margin is a share of texts"),
        (["compare", "A", "A", "--out", "x.html"], "ends in .json or .md"),
        (["verdicts", "A", "--tolerated", "1"], "--tolerated is a share between 0 and 1"),
        (["verdicts", "A", "--out", "x.html"], "ends in .json or .md"),
    ],
)
def test_a_mistake_is_one_clear_line(arguments, said, tmp_path):
    known = saved(tmp_path, "a.json", report([outcome("1", "held")]))
    output = call(*[known if one == "A" else one for one in arguments], status=2)
    lines = [line for line in output.splitlines() if line.strip()]
    assert len(lines) == 1 and lines[0].startswith("error: ") and said in lines[0]


def test_verdicts_of_a_saved_report(tmp_path):
    known, out = saved(tmp_path, "a.json", WEAK), tmp_path / "verdicts.md"
    said = call("verdicts", known, "--out", str(out))
    assert "fragile" in said and "Across languages" in said and "# Verdicts" in out.read_text(encoding="utf-8")
    whole = json.loads(call("verdicts", known, "--tolerated", "0.2", "--json"))
    assert [one["step"] for one in whole["verdicts"] if one["ruling"] == "fragile"] == ["case"]


@pytest.mark.parametrize("command", ["compare", "verdicts"])
def test_help_has_examples(command):
    assert f"babelproof {command} " in call(command, "--help")


def test_run_stops_when_decided(tmp_path):
    many = tmp_path / "many.jsonl"
    rows = [{"lang": "en", "text": f"The team of {i} won the last game again.", "label": "sports"} for i in range(340)]
    many.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    battery = tmp_path / "two.toml"
    battery.write_text(
        "".join(f'[[steps]]\nname = "{name}"\nperturbations = ["{name}"]\n' for name in ("case", "swap"))
    )
    arguments = ("run", str(battery), "--model", MODEL, "--data", str(many), "--stop-when-decided")
    found = Report.from_json(call(*arguments, "0.6", "--json"))
    assert found.provenance["stopping"] == {"tolerated": 0.6, "confidence": 0.95}
    assert 340 < len(found.outcomes) < 2 * 340 and {o.step for o in found.outcomes} == {"case", "swap"}
    assert "--stop-when-decided: the tolerated flip rate is a share" in call(*arguments, "1.5", status=2)
    assert "leaves out the texts" in call(*arguments, "0.6", "--fail-under", "mean>=0", status=2)
    path = saved(tmp_path, "stopped.json", found)
    assert json.loads(call("verdicts", path, "--json"))["across"] == {}
    assert "is of a run that stopped" in call("compare", path, path, status=2)


def test_a_run_that_was_cut_short_clears_no_bar():
    whole = report([outcome(str(i), "held") for i in range(20)])
    assert Gate.parse("mean>=0").failure(whole) is None
    short = report(whole.outcomes, truncated=True)
    assert "cut short by its deadline" in str(Gate.parse("mean>=0").failure(short))


def test_a_cell_that_was_not_reached_clears_no_bar():
    late = [outcome(str(i), "out_of_budget", "de") for i in range(9)]
    idle = [outcome(str(i), "not_applicable", "zh") for i in range(9)]
    found = report([*(outcome(str(i), "held") for i in range(9)), *late, *idle])
    for bar in ("worst-cell>=0", "typos>=0"):
        assert "robust-accuracy of de/typos was not measured" in str(Gate.parse(bar).failure(found))
    assert Gate.parse("worst-cell>=0").failure(report([*found.outcomes[:9], *idle])) is None, "it does not apply"


def test_what_an_attack_on_confidence_reaches_fails_no_bar_on_accuracy():
    sought = [outcome(f"s{i}", "fooled", "en", "case", goal="confidence:0.2") for i in range(20)]
    found = report([*(outcome(str(i), "held") for i in range(20)), *sought])
    assert Gate.parse("worst-cell>=0.9").failure(found) is None
    assert "held of case 0.000" in str(Gate.parse("held@case>=0.9").failure(found))
    assert Gate.parse("flip-rate@en/case>=0.9").failure(found) is None
    few = report([outcome(f"{lang}{i}", "held", lang) for lang in ("de", "en") for i in range(3)])
    assert "n=6" in str(Gate.parse("spread:upper-bound<=0.1").failure(few))
