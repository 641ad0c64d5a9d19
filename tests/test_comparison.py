"""Comparisons on a two-layer encoder: cells, step-matched controls, candidates, resuming, refusals, the report."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from transformers import AutoTokenizer
from typer import Typer
from typer.testing import CliRunner, Result

from tests.fakes_training import build_encoder, write_recipe, write_set
from training import head, loop, run
from training import recipe as recipes
from training.comparison import plan
from training.comparison.cells import Lab
from training.comparison.command import compare_command
from training.comparison.matrix import Matrix
from training.inputs import gather

STAGE = 'name = "one"\ndata = ["toy:train"]\ndev = ["toy:dev"]\nepochs = 2\nbatch = 8\nlearning_rate = 2e-3\n'
BREAKS = "tests.fakes_training:BreakingLoss"
SUITE = """
name = "toys"
[clean]
data = ["toy:test"]
[[noisy]]
name = "typos"
battery = "quick"
steps = ["typos"]
"""
PLAN = """
name = "toys"
recipe = "{recipe}"
suite = "{suite}"
[[arms.plain]]
method = "plain"
[[arms.shaken]]
method = {{ name = "random-perturbation", scale = 0.1 }}
[[arms.shaken]]
method = {{ name = "random-perturbation", scale = 9.0 }}
[[arms.copies]]
method = {{ name = "augment", form = "faithful", copies = 2 }}
epochs = 1
[[arms.thrice]]
method = {{ name = "augment", form = "faithful", copies = 3 }}
epochs = 1
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder, a set, a recipe that would stop early, a suite, and a plan of four arms."""
    root = tmp_path_factory.mktemp("comparison")
    build_encoder(root / "encoder")
    for split, rows in (("train", 64), ("dev", 30)):
        write_set(root / "data" / "toy", split, rows)
    write_set(root / "data" / "toy", "test", 24, languages=("de", "en"))
    recipe = write_recipe(root / "toy.toml", root / "encoder", [STAGE + "patience = 1"], test='data = ["toy:test"]')
    (root / "toys.toml").write_text(SUITE)
    (root / "plan.toml").write_text(PLAN.format(recipe=recipe, suite=root / "toys.toml"))
    return root


def compare(place: Path, out: Path, *words: str, plan: str = "plan.toml") -> Result:
    app = Typer()
    app.command()(compare_command)
    fixed = [str(place / plan), "--data", str(place / "data"), "--out", str(out), "--seeds", "2", "--draws", "400"]
    return CliRunner().invoke(app, [*fixed, *words])


@pytest.fixture(scope="module")
def made(place: Path) -> Iterator[tuple[Path, Result]]:
    """The plan, run to its end."""
    out = place / "made"
    yield out, compare(place, out)


def report(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "report.json").read_text())
    return found


def test_every_arm_is_held_against_plain_of_as_many_updates(made: tuple[Path, Result]) -> None:
    out, said = made
    assert said.exit_code == 0, said.output
    arms = report(out)["arms"]
    assert {name: (arm["updates"], arm["control"]) for name, arm in arms.items()} == {
        "plain": (16, "plain"),
        "shaken": (16, "plain"),
        "copies": (16, "plain"),
        "plain-24": (24, "plain-24"),
        "thrice": (24, "plain-24"),
    }
    assert all(arm["seeds"] == [7, 8] for arm in arms.values())
    recipe = report(out)["provenance"]["arms"]["plain-24"]["recipe"]
    assert recipe["stage"][0]["steps"] == 24
    assert recipe["stage"][0]["patience"] == 0


def test_candidates_are_chosen_by_english_dev(made: tuple[Path, Result]) -> None:
    out, _ = made
    shaken = report(out)["arms"]["shaken"]
    scores = [(trial["clean"] + trial["noisy"]) / 2 for trial in shaken["trials"]]
    assert scores[shaken["candidate"] - 1] == max(scores)
    assert all(trial["n"] == 30 and trial["noisy_n"] > 100 for trial in shaken["trials"])
    rows = report(out)["tables"]["candidates"]["rows"]
    assert [row[2] for row in rows] == [
        f'method = [{{"name": "random-perturbation", "scale": {scale}}}]' for scale in (0.1, 9.0)
    ]
    assert [row[-1] for row in rows].index("taken") == shaken["candidate"] - 1


def test_the_report_says_what_each_arm_changes(made: tuple[Path, Result]) -> None:
    out, said = made
    found = report(out)
    verdicts = found["verdicts"]
    assert [line.split(" against ")[0] for line in verdicts[:-1]] == ["shaken", "copies", "thrice"]
    assert all("worst language under noise and attack" in line for line in verdicts)
    assert all(line in said.stdout for line in verdicts)
    rows = found["tables"]["differences-thrice"]["rows"]
    assert {(row[0], row[1]) for row in rows} == {(part, lang) for part in ("clean", "noisy:typos")
                                                  for lang in ("de", "en")}  # fmt: skip
    gap = found["arms"]["thrice"]["against"]["languages"][0]
    assert gap["difference"]["value"] == pytest.approx(gap["ours"] - gap["theirs"])
    assert (gap["difference"]["n_items"], gap["difference"]["n_seeds"]) == (24, 2)
    assert gap["adjusted"] >= gap["difference"]["p"]
    costs = {row[0]: row for row in found["tables"]["costs"]["rows"]}
    assert costs["plain"][4] == costs["plain"][6] == "1.00"
    assert all(cost["updates"] in (16, 24) and cost["training"] > 0 and cost["evaluation"] > 0
               for own in found["costs"].values() for cost in own)  # fmt: skip
    assert {"toy/train.jsonl", "toy/dev.jsonl", "encoder/model.safetensors"} <= set(
        found["provenance"]["training data"]
    )
    assert set(found["provenance"]["test data"]) == {"toy/test.jsonl"}
    assert str(out) not in (out / "report.json").read_text(), "no folder of the run itself"
    markdown, page = (out / "report.md").read_text(), (out / "report.html").read_text()
    for line in verdicts:
        assert line.split(" (")[0] in markdown
        assert line.split(" (")[0] in page
    assert "<svg" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    for name in ("means.svg", "arms/thrice/differences.svg"):
        ET.fromstring((out / name).read_text())
    assert (out / "arms" / "plain-24" / "report.html").is_file()
    assert (out / "tables" / "means.csv").read_text().startswith("arm,control,part")


def test_finished_cells_are_left_alone_and_lighter(place: Path, made: tuple[Path, Result]) -> None:
    out, _ = made
    cells = sorted(path for path in out.glob("cells/*/*/*") if path.name != "cell.json")
    assert {path.name for path in cells} <= {"evaluation.json.gz", "cost-1.json", "cost-2.json", "candidate-1.json",
                                             "candidate-2.json"}  # fmt: skip
    before = {path: path.stat().st_mtime_ns for path in cells}
    text = (out / "report.json").read_text()
    again = compare(place, out, "--json")
    assert again.exit_code == 0, again.output
    assert again.stdout == text == (out / "report.json").read_text()
    assert {path: path.stat().st_mtime_ns for path in cells} == before


def test_a_report_of_what_is_there_names_what_is_not(place: Path, made: tuple[Path, Result], tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(made[0] / "cells", out / "cells")
    shutil.rmtree(out / "cells" / "plain-24" / "8")
    (out / "cells" / "shaken" / "7" / "candidate-2.json").unlink()
    said = compare(place, out, "--report-only")
    assert said.exit_code == 0, said.output
    found = report(out)
    assert found["missing"] == ["plain-24, seed 8", "shaken: a candidate not tried"]
    assert found["arms"]["thrice"]["paired seeds"] == [7]
    assert "shaken" not in found["arms"]
    assert "Not there yet: plain-24, seed 8" in said.stdout
    assert not (out / "cells" / "plain-24" / "8").exists()
    nothing = compare(place, tmp_path / "empty", "--report-only")
    assert nothing.exit_code == 0, nothing.output
    assert "No arm and its control are both there yet." in nothing.stdout


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("copies = 2", "copies = 4"), "another recipe.stage[0].method[0].copies"),
        (("data", ""), "another training data.toy/train.jsonl"),
        (("test", ""), "another test data.toy/test.jsonl"),
        (("scale = 9.0", "scale = 8.0"), "is the trial of another recipe.stage[0].method[0].scale"),
    ],
)
def test_what_was_made_of_something_else_is_refused_by_name(
    place: Path, made: tuple[Path, Result], tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    out, here = tmp_path / "out", tmp_path / "place"
    shutil.copytree(made[0] / "cells", out / "cells")
    shutil.copytree(place / "data", here / "data")
    text = (place / "plan.toml").read_text()
    if change[1]:
        text = text.replace(*change)
    else:
        path = here / "data" / "toy" / ("train.jsonl" if change[0] == "data" else "test.jsonl")
        path.write_text(path.read_text() + "\n")
    (here / "plan.toml").write_text(text)
    said = compare(here, out, "--report-only")
    assert said.exit_code == 1
    assert message in said.stderr
    assert "choose another --out" in said.stderr


def test_models_are_kept_on_request(place: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path / "other.toml", place / "encoder", [STAGE + 'method = "random-perturbation"'])
    words = [str(recipe), "--suite", str(place / "toys.toml"), "--seeds", "1", "--max-rows", "8", "--keep-models"]
    said = compare(place, tmp_path / "out", *words, plan="toy.toml")
    assert said.exit_code == 0, said.output
    assert set(report(tmp_path / "out")["arms"]) == {"toy", "other"}
    assert head.load(tmp_path / "out" / "cells" / "other" / "7" / "model").config.id2label == {0: "health", 1: "sports"}


def test_an_arm_that_diverges_is_missing_and_the_others_are_there(place: Path, tmp_path: Path) -> None:
    methods = {"plain": ["plain"], "broken": [BREAKS], "chosen": [BREAKS, "random-perturbation"]}
    arms = "".join(f'[[arms.{arm}]]\nmethod = "{one}"\n' for arm, own in methods.items() for one in own)
    named = f'name = "toys"\nrecipe = "{place / "toy.toml"}"\nsuite = "{place / "toys.toml"}"\n'
    (tmp_path / "plan.toml").write_text(named + "every = { steps = 40 }\n" + arms)
    said = compare(place, tmp_path / "out", "--seeds", "1", plan=str(tmp_path / "plan.toml"))
    assert said.exit_code == 0, said.output
    assert "broken, seed 7: step 31: the loss of clean is not a number" in " ".join(said.stderr.split())
    found = report(tmp_path / "out")
    assert found["missing"] == ["broken, seed 7"]
    assert found["arms"]["chosen"]["candidate"] == 2


def test_updates_are_counted_before_training(place: Path, tmp_path: Path) -> None:
    lab = Lab(place / "data", tmp_path, plan.load([str(place / "plan.toml")]).suite)
    arms = list(Matrix(plan.load([str(place / "plan.toml")]), lab, 1).arms())
    assert [arm.name for arm in arms] == ["plain", "copies", "plain-24", "thrice"], "shaken waits for its trials"
    stages = [STAGE, STAGE.replace('"one"', '"two"')]
    start = recipes.load(write_recipe(tmp_path / "two.toml", place / "encoder", stages))
    assert [stage.steps for stage in plan.control(start, (16, 16), 40, "x").stage] == [0, 24]
    with pytest.raises(plan.PlanError, match=r"no control of 16; name another --baseline"):
        plan.control(start, (16, 16), 16, "x")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('[[arms.plain]]\nmethod = "plain"', "", "no arm is plain: shaken, copies, thrice; say with --baseline"),
        ('{ name = "augment", form = "faithful", copies = 2 }', '"plain"', "several arms are plain: plain, copies"),
        ("scale = 9.0", "scale = -1.0", r"arms.shaken[1]: options of the method 'random-perturbation': scale"),
        ("epochs = 1", "epoch = 1", "arms.copies[0]: no key is called 'epoch'"),
        ("[[arms.copies]]", '[[arms."a/b"]]', "'a/b' needs a name that can be a folder"),
        ("suite = ", "sweet = ", "no key is called 'sweet'"),
    ],
)  # fmt: skip
def test_plans_are_read_strictly(place: Path, tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (place / "plan.toml").read_text()
    assert old in text
    (tmp_path / "plan.toml").write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError) as raised:
        plan.load([str(tmp_path / "plan.toml")])
    assert message in str(raised.value)


def test_what_cannot_be_compared(place: Path) -> None:
    for asked, message in (
        (["paraphrase", "paraphrase"], "each with a name of its own"),
        (["paraphrase", "nli"], "several arms are plain"),
        ([str(place / "toy.toml")], "one recipe is nothing to compare"),
        (["parafrase"], "did you mean 'paraphrase'"),
        (["absent.toml"], "No comparison file"),
    ):
        with pytest.raises(ValueError, match=message):
            plan.load(asked, suite="nli")
    with pytest.raises(plan.PlanError, match="--suite says"):
        plan.load(["paraphrase", "nli"], baseline="nli")
    with pytest.raises(plan.PlanError, match=r"'plane'.*'plain'"):
        plan.load(["paraphrase"], baseline="plane")
    chosen = plan.load(["paraphrase"], baseline="augment", encoder="somebody/encoder")
    assert chosen.arms[0].name == "augment"
    assert {one.encoder for arm in chosen.arms for one in arm.candidates} == {"somebody/encoder"}


def test_a_number_of_steps_takes_the_place_of_epochs(place: Path, tmp_path: Path) -> None:
    """More updates than a pass of the rows: every epoch has its own order, and the last one is cut short."""
    tokenizer = AutoTokenizer.from_pretrained(place / "encoder")

    def trained(name: str, stage: str, folder: str) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
        recipe = recipes.load(write_recipe(tmp_path / f"{name}.toml", place / "encoder", [stage]))
        inputs = gather(recipe, place / "data")
        model = run._start(inputs, 0, tmp_path)
        train, dev = inputs.train[0].examples, inputs.dev[0].examples
        work = loop.Work(recipe, recipe.stage[0], 0, model, tokenizer, inputs.labels(0), train, dev,
                         tmp_path / folder, tmp_path / "logs", Console(stderr=True))  # fmt: skip
        return loop.train(work), {name: values.clone() for name, values in model.state_dict().items()}

    augment = STAGE + 'method = "augment"\n'
    by_epochs, weights = trained("epochs", augment, "epochs")
    by_steps, same = trained("steps", augment.replace("epochs = 2", "epochs = 1\nsteps = 16"), "steps")
    assert by_epochs == by_steps == {"steps": 16, "rows": 64, "dev_accuracy": by_epochs["dev_accuracy"]}
    assert all(torch.equal(values, same[name]) for name, values in weights.items())

    short = augment.replace("epochs = 2", "epochs = 1\nsteps = 13")
    result, weights = trained("short", short, "short")
    assert result["steps"] == 13
    result, again = trained("short", short, "short")
    assert result["steps"] == 13, "a run that was killed after its last checkpoint takes no step more"
    assert all(torch.equal(values, again[name]) for name, values in weights.items())
