"""Certified accuracy: curves worked out by hand, a deadline, JSON that keeps to its schema, pictures, the command."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from typer.testing import CliRunner

import probes
from probes.certificates.certified import Certified, Judged, measure
from probes.certificates.deletion import Deletion, EditCertificate
from probes.data import DataError
from probes.render.certified import markdown, rows, summary, svg
from probes.statistics.intervals import wilson
from probes.types import Example, Item
from runtime.cli import app
from tests.fakes import KeywordClassifier
from tests.fakes_probes import EXAMPLES, Failing, make_topics

SCHEMA = json.loads((Path(probes.__path__[0]) / "certificates.schema.json").read_text(encoding="utf-8"))
MODEL = "tests.fakes_probes:make_topics"
HOW = Deletion("word", 0.8, 20, 200, 0.01)
TEAM = [Example(str(n), Item("team " * 30 + str(n)), "en", "sports") for n in range(3)]


def judged(label: str | None, radius: int, gold: str = "sports", lang: str = "en") -> Judged:
    certificate = EditCertificate(label, 0.9, radius, radius, radius, 12)
    return Judged("x", lang, gold, True, gold, "health", certificate)


def whole(*texts: Judged, how: Deletion = HOW, unreached: tuple[Example, ...] = ()) -> Certified:
    said = {"counts": {"certified": len(texts), "queries": 7}, "label_source": {"gold": len(texts), "model": 0}}
    return Certified(how, texts, unreached, said)


def test_a_curve_counts_what_is_right_and_certified_over_all_texts() -> None:
    found = whole(
        judged("sports", 2), judged("sports", 0), judged("health", 2), judged(None, 0), judged("x", 0, lang="de")
    )
    german, english = found.curves()
    assert (english.lang, english.n, english.units) == ("en", 4, 12)
    assert [one and one.value for one in english.radii.values()] == [0.5, 0.25, 0.25], "2 is the highest possible here"
    assert english.radii[1] is not None and (english.radii[1].low, english.radii[1].high) == wilson(1, 4)
    assert english.empty is not None and english.empty.value == 0.25
    assert english.abstained is not None and english.abstained.value == 0.25 and english.abstained.n == 4
    assert german.radii[0] is not None and german.radii[0].value == 0


def test_many_radii_are_reported_in_doubling_steps() -> None:
    how = Deletion("grapheme", 0.99)
    [curve] = whole(judged("sports", 33), how=how).curves()
    assert how.ceiling == 67 and list(curve.radii) == [0, 1, 2, 4, 8, 16, 32, 64, 67]
    assert [one and one.value for one in curve.radii.values()] == [1] * 7 + [0, 0]


def test_a_model_that_leans_on_every_word_is_certified_and_one_on_a_single_word_is_not() -> None:
    [every] = measure(make_topics(), TEAM, HOW).curves()
    assert every.n == 3 and [one and one.value for one in every.radii.values()] == [1, 1, 1]
    single = measure(make_topics(), EXAMPLES[:2], HOW)
    assert all(one.certificate.label == "other" for one in single.judged), "most copies have lost the word"
    [curve] = single.curves()
    assert (
        curve.plain is not None and curve.plain.value == 1 and curve.radii[0] is not None and curve.radii[0].value == 0
    )


def test_without_gold_labels_the_plain_prediction_is_the_label() -> None:
    found = measure(make_topics(), [Example("1", Item("team " * 30), "en")], HOW)
    assert (found.judged[0].label, found.judged[0].gold, found.judged[0].holds(2)) == ("sports", False, True)
    assert found.provenance["label_source"] == {"gold": 0, "model": 1} and "plain predictions" in summary(found)


def test_the_report_is_the_same_bytes_in_any_order_and_keeps_to_its_schema() -> None:
    calls: list[tuple[int, int]] = []
    text = measure(make_topics(), EXAMPLES, HOW, progress=lambda *done: calls.append(done)).to_json()
    assert text == measure(make_topics(), EXAMPLES[::-1], HOW).to_json()
    assert calls[-1] == (5, 5) and all(a < b for a, b in pairwise(calls))
    jsonschema.validate(json.loads(text), SCHEMA, cls=jsonschema.Draft202012Validator)
    assert measure(make_topics(), EXAMPLES, HOW, seed=1).to_json() != text


def test_what_the_deadline_leaves_out_is_not_counted() -> None:
    now = measure(make_topics(), EXAMPLES, HOW, deadline=0.0)
    assert not now.judged and len(now.unreached) == 5 and now.provenance["counts"]["queries"] == 0
    assert {curve.lang: curve.unreached for curve in now.curves()} == {"en": 3, "de": 1, "zh": 1}
    jsonschema.validate(json.loads(now.to_json()), SCHEMA, cls=jsonschema.Draft202012Validator)
    assert "deadline" in summary(now) and "3 not reached" in markdown(now) and svg(now)
    with pytest.raises(RuntimeError, match="gone"):  # what is no deadline is not passed over
        measure(Failing(make_topics(), lambda calls: (_ for _ in ()).throw(RuntimeError("gone"))), EXAMPLES, HOW)


def test_examples_are_checked() -> None:
    with pytest.raises(DataError, match="two en examples have the id 'en1'"):
        measure(make_topics(), [EXAMPLES[0], EXAMPLES[0]], HOW)
    with pytest.raises(DataError, match="no label of the model is called 'sports'"):
        measure(KeywordClassifier({"a": (), "b": ()}), EXAMPLES, HOW)


def test_renderings_have_every_language_and_radius() -> None:
    found = measure(make_topics(), [*EXAMPLES, *TEAM], HOW)
    first = rows(found)[0]
    assert list(first) == ["language", "n", "units", "plain", "abstains", "as empty", "0 edits", "1 edit", "2 edits"]
    text, picture = markdown(found), svg(found)
    assert "| zh Chinese | 1 |" in text and "alpha" not in text.split("|")[0] and "probability 0.01 at most" in text
    root = ElementTree.fromstring(picture)
    titles = [node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}title")]
    assert len(titles) == 3 and any("en, 6 texts" in title and "2 edits: 50 %" in title for title in titles)


def command(*arguments: str, status: int = 0) -> str:
    found = CliRunner().invoke(app, ["certify", *arguments], env={"COLUMNS": "220", "TERM": "dumb"})
    assert found.exit_code == status and "Traceback" not in found.output, found.output
    return found.output if status else found.stdout


@pytest.fixture
def data(tmp_path: Path) -> str:
    file = tmp_path / "data.jsonl"
    lines = [{"id": e.id, "lang": e.lang, "text": e.item.text, "label": e.label} for e in (*EXAMPLES, *TEAM)]
    file.write_text("".join(json.dumps(row) + "\n" for row in lines), encoding="utf-8")
    return str(file)


def test_the_command_prints_a_table_or_json_and_writes_files(data: str, tmp_path: Path) -> None:
    usual = ("--model", MODEL, "--data", data, "--samples", "200", "--alpha", "0.01")
    assert "2 edits" in (shown := command(*usual)) and "Chinese" in shown and "no radius above 2" in shown
    found = json.loads(command(*usual, "--json", "--lang", "en", "--limit", "2", "--out", str(tmp_path / "out")))
    assert found["provenance"]["setting"]["draws"] == 200 and [curve["n"] for curve in found["curves"]] == [2]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "certificates.json", "certificates.md", "certificates.svg"]  # fmt: skip
    assert json.loads((tmp_path / "out" / "certificates.json").read_text(encoding="utf-8")) == found


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--unit", "letter"), "no unit is called 'letter'"),
        (("--deletion", "0.5"), "certify no edit even where all copies agree"),
        (("--deletion", "1.5"), "above 0 and below 1"),
        (("--samples", "5"), "even a unanimous vote abstains"),
        (("--lang", "xx"), "there are no examples in xx"),
        (("--samples", "20", "--alpha", "0.1", "--out", "/dev/null/x"), "cannot be written"),
    ],
)
def test_mistakes_are_told_in_one_line(data: str, arguments: tuple[str, ...], said: str) -> None:
    shown = command("--model", MODEL, "--data", data, *arguments, status=2)
    assert said in " ".join(shown.split()), shown
