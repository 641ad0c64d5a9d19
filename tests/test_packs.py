"""Attack packs: what a run found, pruned, written, read, and tried on other models."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

import probes
from probes.battery import parse, run
from probes.searching import packs, transfer
from probes.searching.packs import Finding, PackError, collect, read, write
from probes.searching.transfer import replay
from probes.statistics.intervals import wilson
from probes.types import Edit, Example, Item
from runtime.cli import app
from tests.fakes import KeywordClassifier
from tests.fakes_probes import EXAMPLES, make_topics

SCHEMA = json.loads((Path(probes.__path__[0]) / "pack.schema.json").read_text(encoding="utf-8"))
STEP = {"name": "hunt", "perturbations": ["drop"], "kind": "attack", "attack": "greedy", "budget": 200, "strength": 0.5}


def generous(item, label, edits, oracle, accept, rng):
    """Makes every third edit, though one would do."""
    from probes.types import Attempt

    done = tuple(edits[::3])
    oracle([replace(item, text=probes.splice(item.text, done))])
    return Attempt(done, True, oracle.queries)


def found_by(model, *examples: Example, **keys: object) -> list[Finding]:
    report = run(parse({"name": "b", "version": 3, "seed": 5, "steps": [STEP | keys]}), model, examples or EXAMPLES)
    return collect(report, model, "fake")


def test_what_a_pack_says():
    found = found_by(make_topics())
    assert {(one.example, one.before, one.after) for one in found} == {
        ("en1", "sports", "other"),
        ("en2", "health", "other"),
        ("de1", "sports", "other"),
    }
    for one in found:
        assert (one.battery, one.version, one.seed, one.step, one.attack) == ("b", 3, 5, "hunt", "greedy")
        assert one.model.name == "fake" and one.model.labels == ("other", "sports", "health")
        assert len(one.model.sha256) == 64 and one.gold and one.minimal and len(one.edits) == 1
        assert make_topics()([one.edited])[0].argmax() == 0


def test_findings_are_pruned_within_the_budget_of_their_attack():
    example = Example("x", Item("The old team won"), "en", "sports")
    keys = {"attack": "tests.test_packs:generous", "strength": 1.0}
    [one] = found_by(make_topics(), example, **keys)
    assert len(one.edits) == 1 and one.minimal
    model = make_topics()
    [poor] = found_by(model, example, **keys, budget=3)
    # one query was the attack's; two are left to take an edit back each
    assert not poor.minimal and len(poor.edits) == 3 and poor.after == "other"


def test_a_pair_is_pruned_on_both_sides():
    example = Example("x", Item("The team won", "old team"), "en")
    [one] = found_by(make_topics(), example, attack="tests.test_packs:generous", strength=1.0, field="both")
    assert one.minimal and len(one.edits) == len(one.pair_edits) == 1


def test_a_pack_comes_back_as_it_was_written(tmp_path):
    hindi = Example("h", Item("टीम team 👨‍👩‍👧", "पास"), "hi")
    found = [*found_by(make_topics()), *found_by(make_topics(), hindi, goal="confidence:0.2")]
    file = tmp_path / "new" / "a.jsonl"
    write(file, found)
    assert read(file) == found
    lines = file.read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(found) == 4 and "टीम" in lines[-1]
    for line in lines:
        jsonschema.validate(json.loads(line), SCHEMA)
        assert set(json.loads(line)) == set(SCHEMA["properties"])
    assert [path.name for path in file.parent.iterdir()] == ["a.jsonl"]


def test_what_is_no_pack_is_refused_by_line(tmp_path):
    file = tmp_path / "a.jsonl"
    write(file, found_by(make_topics(), EXAMPLES[0]))
    good = json.loads(file.read_text(encoding="utf-8"))
    bad = [
        ({"format": "babelproof-pack/9"}, "line 2: it says format 'babelproof-pack/9'; this version reads"),
        ({"edits": [[0, 999, "x"]]}, "line 2: .*lies outside a text"),
        ({"edits": [[0, True, "x"]]}, "line 2: .*True is not a int"),
        ({"edits": []}, "line 2: its edits change nothing"),
        ({"pair_edits": [[0, 1, "x"]]}, "line 2: its edits change nothing"),
        ({"after": "weather"}, "line 2: before and after are not among the model's labels"),
        ({"goal": "fame"}, "line 2: .*no goal is called 'fame'"),
        ({"goal": "targeted:fame"}, "line 2: .*no label of the model is called 'fame'"),
        ({"text": 7}, "line 2: .*7 is not a str"),
        ({"text": "\ud800 team"}, "line 2: .*surrogates not allowed"),
        ({"more": 1}, "line 2: the keys more are not known"),
    ]
    for change, said in bad:
        file.write_text("\n" + json.dumps(good | change) + "\n", encoding="utf-8")
        with pytest.raises(PackError, match=said):
            read(file)
    for text, said in (
        ("{", "line 1: no attack of"),
        ("[1]", "line 1: it says format 'list'"),
        ("[" * 100_000, "line 1"),
        (" ", "there is no attack in it"),
        ("x" * (packs.LONGEST_LINE + 1), "line 1 has more than 1000000 characters"),
        ("\n" * (packs.MOST_LINES + 1), "more than 100000 lines"),
    ):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(PackError, match=said):
            read(file)
    file.write_bytes(b"\xff")
    with pytest.raises(PackError, match="not UTF-8"):
        read(file)
    with pytest.raises(PackError, match=r"none\.jsonl cannot be read: No such file"):
        read(tmp_path / "none.jsonl")


WEAK = KeywordClassifier({"a": (), "b": ("team",)})
STRONG = KeywordClassifier({"a": (), "b": ("tea", "eam")})
TURNED = KeywordClassifier({"b": ("team",), "a": ("x",)})
BLIND = KeywordClassifier({"a": ("team",), "b": ()})


def test_the_transfer_matrix_by_hand():
    """Without its t, team still means b to the strong model; without its e it does not."""
    examples = [Example(f"{lang}{i}", Item(f"team {i}"), lang) for i in range(4) for lang in ("en", "de")]
    found = [replace(one, edits=(Edit(0, 1, ""),)) for one in found_by(WEAK, *examples)]
    found[0] = replace(found[0], edits=(Edit(1, 2, ""),))
    assert [one.lang for one in found] == ["de"] * 4 + ["en"] * 4
    matrix = replay({"f": found}, {"weak": WEAK, "strong": STRONG, "blind": BLIND})
    cells = {(cell.target, cell.lang): cell for cell in matrix.cells}
    assert list(cells) == [(model, lang) for model in ("weak", "strong", "blind") for lang in (None, "de", "en")]
    assert (cells["weak", None].n, cells["weak", None].broken) == (8, 8), "they were found on it"
    for lang, n, broken in ((None, 8, 1), ("de", 4, 1), ("en", 4, 0)):
        cell = cells["strong", lang]
        assert (cell.n, cell.broken, cell.wrong_already) == (n, broken, 0) and cell.success is not None
        assert cell.success.value == broken / n
        assert (cell.success.low, cell.success.high) == pytest.approx(wilson(broken, n))
    assert (cells["blind", None].n, cells["blind", None].success, cells["blind", None].wrong_already) == (0, None, 8)


def test_several_attacks_on_one_text_are_one_cluster():
    steps = [STEP, STEP | {"name": "again", "attack": "beam"}]
    example = [Example(str(i), Item(f"team {i}"), "en") for i in range(6)]
    found = collect(run(parse({"steps": steps}), WEAK, example), WEAK, "weak")
    [cell, _] = replay({"f": found, "the same": found}, {"m": WEAK}).cells
    assert cell.n == len(set(found)) > 6 - 1 and cell.success is not None
    assert cell.success.low == pytest.approx(wilson(6, 6)[0]), "six texts, whatever the number of attacks"


def test_goals_are_those_of_the_pack():
    example = Example("x", Item("team team"), "en")
    [one] = found_by(WEAK, example, goal="confidence:0.1")
    assert one.before == one.after == "b"
    [cell, _] = replay({"f": [one]}, {"weak": WEAK}).cells
    assert cell.broken == 1
    [cell, _] = replay({"f": [replace(one, goal="untargeted")]}, {"weak": WEAK}).cells
    assert cell.broken == 0


def test_a_pack_for_other_labels_is_refused_by_name():
    found = found_by(WEAK, Example("x", Item("team"), "en"))
    with pytest.raises(
        PackError, match=r"mine\.jsonl attacks a model of the labels a, b, but topics has the labels oth"
    ):
        replay({"mine.jsonl": found}, {"topics": make_topics()})
    [cell, _] = replay({"mine.jsonl": found}, {"turned": TURNED}).cells
    assert cell.n == 1, "in another order they are the same labels"


def test_models_of_one_name_are_told_apart():
    [one] = found_by(WEAK, Example("x", Item("team"), "en"))
    other = replace(one, model=replace(one.model, sha256="f" * 64))
    matrix = replay({"f": [one, other]}, {"weak": WEAK})
    assert sorted(matrix.sources) == sorted([f"fake {one.model.sha256[:12]}", "fake ffffffffffff"])
    assert "| found on | tried on weak |" in transfer.markdown(matrix)
    assert json.loads(matrix.to_json())["format"] == transfer.FORMAT


def call(*arguments: str, status: int = 0) -> str:
    found = CliRunner().invoke(app, arguments, env={"COLUMNS": "220", "TERM": "dumb"})
    assert found.exit_code == status and "Traceback" not in found.output, found.output
    return found.output if status else found.stdout


def test_from_the_command_line(tmp_path):
    data, pack, battery = tmp_path / "data.jsonl", tmp_path / "a.jsonl", tmp_path / "b.toml"
    rows = [{"id": e.id, "lang": e.lang, "text": e.item.text, "label": e.label} for e in EXAMPLES]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    battery.write_text("[[steps]]\n" + "\n".join(f"{k} = {json.dumps(v)}" for k, v in STEP.items()), encoding="utf-8")
    model = "tests.fakes_probes:make_topics"
    call("run", str(battery), "--model", model, "--data", str(data), "--pack", str(pack))
    assert [one.example for one in read(pack)] == ["de1", "en1", "en2"]
    first = pack.read_bytes()
    call("run", str(battery), "--model", model, "--data", str(data), "--pack", str(pack))
    assert pack.read_bytes() == first

    said = call("replay", str(pack), "--model", model, "--model", "tests.fakes_probes:topics")
    assert "tried on tests.fakes_probes:topics" in said and "1.00 [0.44, 1.00] n=3" in said and "de" in said
    out = tmp_path / "matrix.md"
    matrix = json.loads(call("replay", str(pack), "--model", model, "--out", str(out), "--json"))
    assert matrix["cells"][0]["n"] == 3 and "n=3" in out.read_text(encoding="utf-8")
    call("replay", str(pack), "--model", model, "--out", str(tmp_path / "matrix.json"))
    assert json.loads((tmp_path / "matrix.json").read_text(encoding="utf-8")) == matrix

    assert "has no attack" in call("run", "quick", "--model", model, "--data", str(data), "--pack", "x", status=2)
    assert "ends in .json or .md" in call("replay", str(pack), "--model", model, "--out", "x.txt", status=2)
    other = call("replay", str(pack), "--model", "tests.test_packs:WEAK", status=2)
    assert "but tests.test_packs:WEAK has the labels a, b" in other


def test_edits_count_in_code_points():
    found = found_by(make_topics(), Example("x", Item("👨‍👩‍👧 team"), "en"))
    [one] = found
    assert one.edits[0].start >= 6 and isinstance(one.edits[0], Edit), "the family is five code points"
