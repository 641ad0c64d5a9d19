"""Dose: counted in graphemes, exact in expectation, shown beside every figure, and a thin cell is not measured."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

import probes
from probes import doses, languages, noise, perturbations, render
from probes.battery import BatteryError, load, parse, run
from probes.data import read_examples
from probes.dose import changed, distance, dose, item_dose
from probes.render.grid import grid, reach, why
from probes.report import Report
from probes.text import graphemes, scripts, splice
from probes.types import Edit, Example, Item
from runtime.cli import app
from tests.fakes_probes import EXAMPLES, make_topics
from tests.golden import texts
from tests.test_report import PROVENANCE, outcome, report

ROOT = Path(__file__).parent.parent
TEXT = {code: text for code, text in texts() if code != "und"}
SHIPPED = [*read_examples(ROOT / "examples/demo.jsonl", 3), *read_examples(ROOT / "examples/sentences.jsonl", 3)]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("text", "edit", "graphemes_changed"),
    [
        ("abc", Edit(1, 2, ""), 1),
        ("abc", Edit(1, 1, "x"), 1),
        ("abc", Edit(0, 2, "ba"), 2),
        ("two words", Edit(3, 9, ""), 6),
        ("word", Edit(0, 4, "WORD"), 4),
        ("नमस्ते", Edit(2, 6, ""), 1),
        ("cafe\u0301", Edit(3, 5, "é"), 1),
        ("a", Edit(0, 1, "a\u0352"), 1),
    ],
)
def test_what_an_edit_changes(text, edit, graphemes_changed):
    assert changed(text, edit) == graphemes_changed
    assert dose(text, [edit]) == graphemes_changed / len(graphemes(text))


def test_the_dose_of_a_pair_is_that_of_the_sides_worked_on():
    item = Item("abcd", "abcdef")
    edits, pair_edits = [Edit(0, 1, "x")], [Edit(0, 1, "")]
    assert item_dose(item, "text", edits, ()) == 1 / 4
    assert item_dose(item, "pair", (), pair_edits) == 1 / 6
    assert item_dose(item, "both", edits, pair_edits) == 2 / 10
    assert dose("", ()) == 0


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(TEXT)), st.sampled_from(perturbations.names()), st.floats(0, 1), st.integers(0, 2**32))
def test_the_sum_over_edits_is_never_less_than_the_distance_of_the_texts(code, name, share, seed):
    text, language = TEXT[code], languages.get(code)
    edits = noise.dosed(text, language, [name], share, rng(seed))
    assert edits == noise.dosed(text, language, [name], share, rng(seed))
    after = splice(text, edits)
    before = [text[a:b] for a, b in graphemes(text)]
    assert sum(changed(text, edit) for edit in edits) >= distance(before, [after[a:b] for a, b in graphemes(after)])


@pytest.mark.parametrize("name", ["drop", "swap", "case", "word_drop", "word_order", "ocr"])
@pytest.mark.parametrize("code", ["en", "el", "ru"])
def test_the_dose_is_exact_in_expectation_whatever_the_unit(name, code):
    text, language = TEXT[code], languages.get(code)
    given = [dose(text, noise.dosed(text, language, [name], 0.05, rng(seed))) for seed in range(600)]
    assert np.mean(given) == pytest.approx(0.05, abs=4 * np.std(given) / 600**0.5)
    assert np.std(given) / 600**0.5 < 0.005


def test_a_dose_of_nothing_changes_nothing_in_any_script():
    for code, text in texts():
        assert noise.dosed(text, languages.get(code), perturbations.names(), 0.0, rng()) == ()


def test_units_share_the_dose():
    text, language = TEXT["en"] * 30, languages.get("en")
    edits = noise.dosed(text, language, ["repeat", "word_drop"], 0.1, rng())
    doubled = [edit for edit in edits if edit.new]
    assert dose(text, doubled) == pytest.approx(0.05, rel=0.1)
    assert dose(text, edits) == pytest.approx(0.1, rel=0.1)


def test_a_dose_is_a_share():
    with pytest.raises(ValueError, match="between 0 and 1, not 2"):
        noise.dosed("text", languages.get("en"), ["drop"], 2, rng())


def step(**more):
    return {"steps": [{"name": "one", "perturbations": ["drop"], **more}]}


def test_a_step_says_dose_or_strength():
    assert (parse(step()).steps[0].strength, parse(step()).steps[0].dose) == (0.1, None)
    [found] = parse(step(dose=0.05)).steps
    assert (found.strength, found.dose) == (None, 0.05)
    assert parse(step(dose=0.05, strength=None)).steps == (found,)
    with pytest.raises(BatteryError, match="dose and strength exclude each other"):
        parse(step(dose=0.05, strength=0.1))
    with pytest.raises(BatteryError, match="dose must be a share"):
        parse(step(dose=3))
    with pytest.raises(BatteryError, match="dose belongs to noise"):
        parse(step(dose=0.05, kind="attack", attack="greedy", budget=9))
    with pytest.raises(BatteryError, match="coverage must be a share"):
        parse({**step(), "coverage": "half"})


def test_an_empty_draw_counts_as_a_try_and_a_text_without_places_does_not():
    examples = [Example(str(i), Item(f"Gewichtheberinnen gewinnen {i}"), "de", "other") for i in range(20)]
    examples += [Example("none", Item("Gewichtheberinnen"), "de", "other")]
    battery = parse({"steps": [{"name": "one", "perturbations": ["word_drop"], "dose": 0.05, "draws": 5}]})
    found = run(battery, make_topics(), examples)
    [row] = found.rows()
    assert (row.n, row.covered, row.total) == (100, 100, 105)
    assert any(not o.edits and o.status == "held" and o.dose == 0 for o in found.outcomes)
    assert row.dose == pytest.approx(np.mean([o.dose for o in found.outcomes if o.dose is not None]))
    whole = json.loads(found.to_json())
    schema = json.loads((Path(probes.__path__[0]) / "report.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(whole, schema, cls=jsonschema.Draft202012Validator)
    assert Report.from_json(found.to_json()).battery == battery


def test_the_matched_battery_gives_its_dose_in_every_language():
    found = run(load("matched"), make_topics(), EXAMPLES)
    given = [row.dose for row in found.rows(by=("lang",)) if row.dose is not None]
    assert len(given) == 3 and np.mean(given) == pytest.approx(0.05, rel=0.4)


THIN = report(
    outcome("1", "fooled", predicted_after="b", dose=0.04, after="x", edits=(Edit(0, 1, "x"),)),
    *(outcome(str(i), "not_applicable") for i in range(2, 5)),
    outcome("1", "held", "case", dose=0.05, after="y"),
    outcome("2", "held", "case", dose=0.07, after="y"),
)


def test_a_cell_under_the_threshold_is_not_measured_and_counts_nowhere():
    thin, case = THIN.rows()
    assert (thin.n, thin.rate, thin.measured, thin.sparse, thin.dose) == (0, None, False, True, None)
    assert (thin.covered, thin.total, thin.coverage) == (1, 4, 0.25)
    assert (case.n, case.measured, case.sparse) == (2, True, False) and case.dose == pytest.approx(0.06)
    [language] = THIN.rows(by=("lang",))
    assert (language.n, language.flips, language.total) == (2, 0, 6)
    assert "25 % of these texts, less than the battery asks for" in why(thin)
    lower = PROVENANCE["battery"] | {"coverage": 0.2}
    assert Report(THIN.outcomes, {**PROVENANCE, "battery": lower}).rows()[0].measured


def test_a_text_at_the_target_already_takes_nothing_from_the_coverage():
    targeted = [outcome(str(i), "not_applicable", goal="targeted:a") for i in range(3)]
    [row] = report(*targeted, outcome("9", "held", goal="targeted:a")).rows()
    assert row.n == 1 and not row.sparse


def test_dose_and_coverage_stand_beside_every_figure():
    console = Console(width=250, file=io.StringIO(), record=True)
    console.print(render.terminal(THIN))
    rows = list(csv.DictReader(io.StringIO(render.csv(THIN))))
    assert (rows[0]["dose"], rows[0]["coverage"], rows[0]["measured"]) == ("", "0.25", "False")
    assert float(rows[1]["dose"]) == pytest.approx(0.06) and rows[1]["coverage"] == "1"
    assert reach(grid(THIN).cells["en", "case"]) == "dose 6.0 %, cov 100 %"
    terminal = console.export_text()
    assert "dose 6.0 %" in terminal and "cov 25 %" in terminal
    for said in (render.markdown(THIN), render.html(THIN)):
        assert "dose 6.0 %, cov 100 %" in said and re.search(r"not measured(, |<small>)cov 25 %", said)


def test_control_characters_are_shown_and_not_put_into_what_xml_cannot_hold():
    edits = (Edit(4, 4, "t\b"),)
    found = report(outcome("1", "fooled", predicted_after="b", after="textt\b 1", edits=edits, dose=0.1)).outcomes[0]
    odd = report(*[outcome("\x7f2", "fooled", predicted_after="b", after="x", edits=(Edit(0, 1, "\x01"),)), found])
    for said in (render.html(odd), render.markdown(odd)):
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", said)
        assert "U+0008" in said
    assert render.visible("a\b\x7f\x85\t\n") == "a␈␡U+0085\t\n"


def test_sentences_are_shipped_in_every_language():
    assert {example.lang for example in SHIPPED} >= set(languages.codes())
    for example in SHIPPED:
        allowed = languages.get(example.lang).scripts or ("Latin",)
        text = example.item.text
        assert text == unicodedata.normalize("NFC", text).strip(), example.id
        assert {*scripts(text)} <= {*allowed, "Latin"}, example.id


def measured(code, names=("drop", "word_drop")):
    return doses.measure([e for e in SHIPPED if e.lang == code], names, 0.05)


def test_a_measured_dose_says_its_error_and_the_room_there_is():
    drop, words = measured("sw")
    assert drop.near and words.near and drop.coverage == 1 and drop.texts == 3
    assert drop.error < words.error <= 0.05 * 0.03 and drop.draws < words.draws
    [emoji] = measured("sw", ["emoji"])
    assert not emoji.near and emoji.room < 0.05 and emoji.realised == pytest.approx(emoji.room, rel=0.1)
    [none] = measured("sw", ["dates"])
    assert none.coverage == 0 and none.realised is None and not none.near
    assert measured("sw", ["script_variant"]) == []
    assert measured("sw") == measured("sw")


def table():
    """The cells of the matrix in docs/dose.md by language and perturbation."""
    page = (ROOT / "docs/dose.md").read_text(encoding="utf-8")
    matrix = page.partition("\n| language |")[2].partition("\n<!-- end -->")[0].splitlines()
    names, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in matrix)
    return {(row[0].split()[0], name): cell for row in rows for name, cell in zip(names, row[1:], strict=True)}


def test_the_table_of_the_documents_holds_what_it_promises():
    cells = table()
    assert {name for _, name in cells} == {*perturbations.names()}, "babelproof doses ... --into docs/dose.md"
    near = {(lang, name): float(cell) for (lang, name), cell in cells.items() if re.fullmatch(r"[0-9.]+", cell)}
    assert all(4.45 <= value <= 5.55 for value in near.values())
    broad = []
    for name in perturbations.names():
        langs = [lang for lang, other in near if other == name]
        if len(langs) >= 40 and len({languages.get(lang).scripts[:1] for lang in langs}) >= 10:
            broad.append(name)
    assert len(broad) >= 10, broad


@pytest.mark.parametrize(
    ("code", "name"), [("am", "drop"), ("th", "word_drop"), ("eu", "function_word"), ("zh", "swap")]
)
def test_the_table_of_the_documents_is_what_the_command_prints(code, name):
    [found] = measured(code, [name])
    assert float(table()[code, name].strip("()")) == pytest.approx(100 * found.realised, abs=0.06)


def test_the_command(tmp_path):
    data = tmp_path / "mine.tsv"
    data.write_text("lang\ttext\nen\tOne small step for a man.\nhi\tआज मौसम बहुत अच्छा है।\n", "utf-8")
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- doses -->\nold\n<!-- end -->\nafter\n", "utf-8")
    command = ["doses", "--data", str(data), "--perturbation", "drop"]
    done = CliRunner().invoke(app, [*command, "--into", str(page)])
    assert done.exit_code == 0, done.output
    said = page.read_text("utf-8")
    assert said.startswith("before\n<!-- doses -->\nAt a nominal dose of 5 %") and said.endswith(
        "<!-- end -->\nafter\n"
    )
    assert "| `drop` | 2 of 2 | 2 |" in said and "old" not in said
    found = json.loads(CliRunner().invoke(app, [*command, "--json", "--lang", "hi"]).stdout)
    assert [(one["lang"], one["perturbation"], one["near"]) for one in found] == [("hi", "drop", True)]
    page.write_text("no marks", "utf-8")
    refused = CliRunner().invoke(app, [*command, "--into", str(page)])
    assert refused.exit_code == 2 and "<!-- doses -->" in refused.output
    assert "did you mean 'drop'" in CliRunner().invoke(app, [*command, "--perturbation", "dropp"]).output


def test_the_distance_is_that_of_the_table():
    def table(a, b):
        row = list(range(len(b) + 1))
        for i, this in enumerate(a, 1):
            above, row = row, [i]
            for j, other in enumerate(b, 1):
                row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (this != other)))
        return row[-1]

    draw = np.random.default_rng(0)
    for _ in range(300):
        a, b = ("".join(draw.choice(list("abc"), draw.integers(0, 9))) for _ in range(2))
        assert distance(a, b) == table(a, b), (a, b)
    assert distance("a" * 20_000, "b" * 19_000) == 20_000, "by the table this would take a minute"
