"""Renderings that machines read: JUnit, SARIF, annotations, Parquet, and a page that can be searched."""

from __future__ import annotations

import json
import re
import sys
from xml.etree import ElementTree as xml

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from probes import render
from probes.battery import parse, run
from probes.render.findings import findings, flip
from probes.render.github import MOST
from probes.report import ReportError, outcome_to_json
from probes.types import Edit
from tests.fakes_probes import EXAMPLES, make_topics
from tests.test_report import outcome, report

FLIPPED = {"predicted_after": "b", "probability_before": 0.9}
BACKSPACE = {"after": "texx\u0008t 1", "edits": (Edit(2, 2, "x\u0008"),), **FLIPPED}
FOUND = report(
    *(outcome(str(i), "held") for i in range(200)),
    *(outcome(str(i), "fooled", lang="ar", **BACKSPACE) for i in range(60)),
    *(outcome(str(i), "held" if i else "fooled", lang="hi", **({} if i else BACKSPACE)) for i in range(6)),
    outcome("1", "not_applicable", "case", "ar"),
)


def test_findings_have_a_verdict_and_the_worst_flips():
    found = {(one.verdict.lang, one.verdict.step): one for one in findings(FOUND)}
    rulings = {cell: one.verdict.ruling for cell, one in found.items()}
    assert rulings == {
        ("ar", "typos"): "fragile",
        ("ar", "case"): "not measured",
        ("en", "typos"): "robust",
        ("hi", "typos"): "undecided",
    }
    assert found["ar", "typos"].flips == ("typos: a → b: te[→xU+0008]xt 0", *found["ar", "typos"].flips[1:])
    assert len(found["ar", "typos"].flips) == 5 and "no edit of this step applies" in found["ar", "case"].said


def test_junit_is_xml_that_counts_right():
    root = xml.fromstring(render.junit(FOUND).encode())
    assert root.tag == "testsuites" and {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4", "failures": "1", "errors": "0", "skipped": "2",
    }  # fmt: skip
    suites = {suite.get("name"): suite for suite in root}
    assert set(suites) == {"ar Arabic", "en English", "hi Hindi"}
    for suite in suites.values():
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
        assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))
        assert int(suite.get("skipped")) == len(suite.findall("testcase/skipped"))
    [failure] = root.iter("failure")
    assert failure.get("message").startswith("ar typos: fragile; 100.0 % of 60 tries flipped")
    assert len(failure.text.splitlines()) == 5 and "te[→xU+0008]xt 0" in failure.text
    assert all(
        case.get("classname") == f"inline.{suite.get('name')[:2]}" for suite in root for case in suite.iter("testcase")
    )


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=12), st.text(min_size=1, max_size=6))
def test_no_text_makes_bad_xml_json_or_lines(text, name):
    evil, step = f"{text}\u0008\x00\uffff]]>::error::&%\r\n\ud800", f"{name}\u0001,:"
    battery = {"name": name, "version": 1, "seed": 0, "steps": [{"name": step, "perturbations": ["drop"]}]}
    flips = (outcome(str(i), "fooled", step, after=evil, edits=(Edit(0, 1, evil),), **FLIPPED) for i in range(60))
    found = type(FOUND)(tuple(flips), {**FOUND.provenance, "battery": battery})
    [failure] = xml.fromstring(render.junit(found).encode("utf-8")).iter("failure")
    assert "error" in failure.text
    assert json.loads(render.sarif(found).encode("utf-8"))["runs"][0]["results"]
    lines = render.github(found).encode("utf-8").decode().split("\n")
    assert len(lines) == 3 and lines[1].startswith("::error title=") and lines[2] == "" and "\r" not in lines[1]
    assert lines[1].count("::") >= 2 and ":" not in lines[1].removeprefix("::error title=").partition("::")[0]


def test_sarif_has_the_structure_of_its_standard():
    log = json.loads(render.sarif(FOUND))
    assert log["version"] == "2.1.0" and log["$schema"].endswith("sarif-schema-2.1.0.json")
    [run_] = log["runs"]
    driver = run_["tool"]["driver"]
    assert driver["name"] == "babelproof" and [rule["id"] for rule in driver["rules"]] == ["typos", "case"]
    [result] = run_["results"]
    assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "typos"
    assert result["level"] in ("none", "note", "warning", "error") and result["message"]["text"]
    place = result["locations"][0]
    assert (
        place["physicalLocation"]["artifactLocation"]["uri"] and place["physicalLocation"]["region"]["startLine"] >= 1
    )
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "ar/typos"
    assert re.fullmatch("[0-9a-f]{64}", result["partialFingerprints"]["cell/v1"])
    [invocation] = run_["invocations"]
    assert invocation["executionSuccessful"] is True
    said = [one["message"]["text"] for one in invocation["toolExecutionNotifications"]]
    assert len(said) == 2 and said[0].startswith("ar case: not measured") and said[1].startswith("hi typos: undecided")


def test_annotations_are_one_line_each_and_no_more_than_github_shows():
    lines = render.github(FOUND).splitlines()
    assert [line.partition(" ")[0] for line in lines[1:]] == ["::error", "::warning", "::notice"]
    assert "title=ar typos%3A fragile::ar typos: fragile; 100.0 %25 of 60" in lines[1] and "%0Atypos: a → b" in lines[1]
    many = report(*(outcome(str(i), "fooled", lang=f"x{n:02}", **FLIPPED) for n in range(20) for i in range(200)))
    errors = [line for line in render.github(many).splitlines() if line.startswith("::error")]
    assert len(errors) == MOST and errors[-1].endswith("and 11 more cells")


def test_parquet_gives_every_outcome_back(tmp_path):
    reading = pytest.importorskip("pyarrow.parquet")
    found = run(parse({"steps": [{"name": "typos", "perturbations": ["backspace"]}]}), make_topics(), EXAMPLES)
    render.write(found, tmp_path, ["parquet"])
    table = reading.read_table(tmp_path / "report.parquet")
    assert json.loads(table.schema.metadata[b"provenance"]) == json.loads(json.dumps(dict(found.provenance)))
    for row, one in zip(table.to_pylist(), found.outcomes, strict=True):
        edits = {name: [list(edit.values()) for edit in row[name]] for name in ("edits", "pair_edits")}
        assert row | edits == outcome_to_json(one)


def test_parquet_without_pyarrow_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ReportError, match="Parquet needs pyarrow: pip install"):
        render.parquet(FOUND)


def test_the_page_can_be_searched_and_walked():
    text = render.html(FOUND)
    assert 'type="search"' in text and 'aria-live="polite"' in text and '<label for="query">' in text
    assert len(re.findall('data-in="', text)) == 6 and 'data-in="ar Arabic typos"' in text
    assert 'class="verdict fragile" title="ar typos: fragile; 100.0 % of 60' in text
    assert "\u0008" not in text and ">xU+0008</ins>" in text
    assert text.count('class="flip"') == 50 + 1 and "And 10 more in the JSON report." in text


def test_a_pair_shows_both_sides_in_a_line():
    both = outcome(
        "1", "fooled", after="b", edits=(Edit(0, 1, "T"),), pair_before="p q", pair_edits=(Edit(1, 2, ""),), **FLIPPED
    )
    assert flip(both) == "typos: a → b: [t→T]ext 1 ‖ p[␣→]q"


def call(*arguments: str, status: int = 0):
    from runtime.cli import app

    found = CliRunner().invoke(app, arguments, env={"COLUMNS": "220", "TERM": "dumb"})
    assert found.exit_code == status, found.output
    return found


def test_the_command_writes_and_prints_the_forms_that_are_named(tmp_path):
    data = tmp_path / "data.jsonl"
    data.write_text("".join(json.dumps({"id": e.id, "lang": e.lang, "text": e.item.text}) + "\n" for e in EXAMPLES))
    common = ("run", "quick", "--model", "tests.fakes_probes:make_topics", "--data", str(data))
    out = tmp_path / "report"
    said = call(*common, "--out", str(out), "--format", "junit", "--format", "sarif", "--format", "github").stdout
    assert {path.name for path in out.iterdir()} == {"report.junit.xml", "report.sarif", "report.github.txt"}
    assert said == (out / "report.github.txt").read_text(encoding="utf-8"), "annotations count where they are printed"
    assert xml.fromstring(call(*common, "--format", "junit").stdout.encode()).tag == "testsuites"
    refused = call(*common, "--format", "parquet", status=2).output
    assert "parquet is no text to print; say with --out where to write it" in refused
