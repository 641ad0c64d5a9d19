"""Training from recipe to served folder on a two-layer encoder: stages, resume, early stopping, scores, refusals."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from transformers import AutoModel, AutoTokenizer
from typer.testing import CliRunner

import runtime
from probes.types import Example, Item
from tests.fakes import KeywordClassifier
from tests.fakes_training import STAGE, build_place, trained, write_recipe
from training import data, head, loop, methods, recipe, run
from training.cli import app
from training.epochs import Encoder, EpochData
from training.inputs import gather
from training.objective import Objective
from training.scores import mean_accuracy, score

TEST = 'data = ["toy:test"]\nlanguages = "encoder"'


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_place(tmp_path_factory.mktemp("training"))


@pytest.fixture(scope="module")
def tokenizer(place: Path) -> Any:
    return AutoTokenizer.from_pretrained(place / "encoder")


def go(place: Path, plan: Path, out: Path, **keys: Any) -> run.Finished:
    keys = {"console": Console(stderr=True), **keys}
    return run.run(gather(recipe.load(plan), place / "data"), out, **keys)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(head.load(folder).state_dict())


def test_from_recipe_to_a_folder_that_serves(place: Path, tmp_path: Path) -> None:
    plan = write_recipe(tmp_path / "toy.toml", place / "encoder", [STAGE + "patience = 3"], test=TEST,
                        head='licence = "CC0-1.0"\nlicences = {toy = "CC0 1.0 (made up)"}')  # fmt: skip
    out = tmp_path / "out"
    said = CliRunner().invoke(app, ["run", str(plan), "--out", str(out), "--data", str(place / "data"), "--json"])
    assert said.exit_code == 0, said.output
    scores = {row["lang"]: row for row in json.loads(said.stdout)}
    assert scores == {row["lang"]: row for row in json.loads((out / "scores.json").read_text())}
    assert set(scores) == {"de", "en"}
    assert scores["en"]["n"] == 30
    assert scores["en"]["accuracy"] > 0.9
    assert scores["en"]["low"] < scores["en"]["accuracy"] <= scores["en"]["high"]

    classifier = runtime.load(out / "model")
    assert classifier.labels == ("health", "sports")
    assert classifier([Item("the team was big"), Item("a nurse today")]).argmax(axis=1).tolist() == [1, 0]
    manifest = classifier.manifest
    assert manifest.recipe_sha256 == recipe.load(plan).digest()
    assert {"toy/train.jsonl", "toy/dev.jsonl", "toy/test.jsonl", "encoder/model.safetensors"} <= set(
        manifest.data_sha256
    )
    assert manifest.scores["de"].n == 30
    assert manifest.encoder == "encoder", "no path of this machine"
    assert manifest.parity is not None
    assert manifest.parity.fp32_max_difference is not None
    assert manifest.parity.fp32_max_difference < 1e-4

    card = (out / "model" / "README.md").read_text()
    assert "| toy | training, choosing the checkpoint, scoring | CC0 1.0 (made up) |" in card
    assert f"| en | 30 | {100 * scores['en']['accuracy']:.1f} |" in card
    assert list((out / "logs").rglob("events.out.tfevents.*")), "TensorBoard logs"

    again = CliRunner().invoke(app, ["run", str(plan), "--out", str(out), "--data", str(place / "data")])
    assert again.exit_code == 0
    assert "one: finished before" in again.stderr
    other = ["run", str(plan), "--out", str(out), "--data", str(place / "data"), "--seed", "8"]
    refused = CliRunner().invoke(app, other)
    assert refused.exit_code == 1
    assert "--fresh" in refused.stderr
    assert CliRunner().invoke(app, [*other, "--fresh", "--max-rows", "8"]).exit_code == 0
    assert {row["n"] for row in json.loads((out / "scores.json").read_text())} == {8}


def test_a_killed_run_ends_as_if_it_had_not_been(place: Path, tmp_path: Path) -> None:
    stage = STAGE.replace("epochs = 4", "epochs = 5") + "evaluate_every = 10\nmethod = 'augment'\npatience = 12"
    plan = write_recipe(tmp_path / "toy.toml", place / "encoder", [stage], head="dropout = 0.1")
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    command = [sys.executable, "-m", "training.cli", "run", str(plan), "--out", str(cut), "--data", str(place / "data")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 300
        while len(list(cut.glob("stages/1-one/checkpoint-*/trainer_state.json"))) < 2:
            assert process.poll() is None, process.communicate()[1].decode()
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        process.kill()  # SIGKILL: nothing of it runs any more
        process.communicate()
    assert not (cut / "stages" / "1-one" / "done.json").exists()
    assert not (cut / "model").exists()

    said = io.StringIO()
    resumed = go(place, plan, cut, console=Console(file=said, width=200))
    assert "going on from checkpoint-" in said.getvalue()
    uninterrupted = go(place, plan, whole)
    done = [json.loads((folder / "stages" / "1-one" / "done.json").read_text()) for folder in (cut, whole)]
    assert done[0] == done[1]
    one, other = (weights(folder / "stages" / "1-one" / "model") for folder in (cut, whole))
    for name, values in one.items():
        torch.testing.assert_close(values, other[name], msg=name)
    items = [Item("the team was big"), Item("a nurse today")]
    np.testing.assert_allclose(runtime.load(resumed.model)(items), runtime.load(uninterrupted.model)(items), atol=1e-5)


def test_stages_chain_with_the_head_kept_or_dropped(place: Path, tmp_path: Path) -> None:
    first = STAGE.replace("epochs = 4", "epochs = 1")
    kept = first.replace('"one"', '"two"')
    dropped = kept.replace('"two"', '"three"').replace("toy:", "pairs:") + 'head = "drop"'
    plan = write_recipe(tmp_path / "chain.toml", place / "encoder", [first, kept, dropped], head='pooling = "pair"',
                        test='data = ["pairs:test:en"]')  # fmt: skip
    finished = go(place, plan, tmp_path / "out")
    assert finished.manifest.pairs
    assert finished.manifest.labels == ("different", "same")
    stages = tmp_path / "out" / "stages"
    assert sorted(path.name for path in stages.iterdir()) == ["1-one", "2-two", "3-three"]
    start = run._start(gather(recipe.load(plan), place / "data"), 1, tmp_path / "out")
    assert torch.equal(start.classifier.weight, weights(stages / "1-one" / "model")["classifier.weight"])
    fresh = run._start(gather(recipe.load(plan), place / "data"), 2, tmp_path / "out")
    before = weights(stages / "2-two" / "model")
    assert not torch.equal(fresh.classifier.weight, before["classifier.weight"])
    assert all(
        torch.equal(values, before[name]) for name, values in fresh.state_dict().items() if "classifier" not in name
    )

    plan = write_recipe(tmp_path / "wrong.toml", place / "encoder", [first, dropped.replace("drop", "keep")])
    with pytest.raises(recipe.RecipeError, match=r"stage 'three' keeps the head .* health, sports; .* different, same"):
        gather(recipe.load(plan), place / "data")


def test_early_stopping_and_frozen_embeddings(place: Path, tmp_path: Path, tokenizer: Any) -> None:
    stage = STAGE.replace("epochs = 4", "epochs = 9").replace("2e-3", "1e-9")
    stage += "patience = 2\nfreeze_embeddings = true\nhead_learning_rate = 1e-9"
    plan = recipe.load(write_recipe(tmp_path / "toy.toml", place / "encoder", [stage]))
    model, result = trained(plan, place, tmp_path, tokenizer)
    assert result["steps"] == 3 * 20, "one evaluation to begin with, two without progress"
    resumed, again = trained(plan, place, tmp_path, tokenizer)
    assert again == result, "killed between its last checkpoint and its last word, a stopped run trains no more"
    assert all(torch.equal(values, resumed.state_dict()[name]) for name, values in model.state_dict().items())
    plan = recipe.load(write_recipe(tmp_path / "toy.toml", place / "encoder", [STAGE + "freeze_embeddings = true"]))
    model, result = trained(plan, place, tmp_path / "2", tokenizer)
    assert result["steps"] == 4 * 20
    before = head.build(str(place / "encoder"), ("health", "sports"), pooling="mean", dropout=0, seed=plan.seed,
                        tokenizer=tokenizer)  # fmt: skip
    changed = {
        name for name, values in model.state_dict().items() if not torch.equal(values, before.state_dict()[name])
    }
    assert "encoder.embeddings.word_embeddings.weight" not in changed
    assert {"classifier.weight", "encoder.embeddings.position_embeddings.weight"} <= changed


def test_epochs_are_shuffled_into_batches_of_like_length(place: Path, tokenizer: Any) -> None:
    examples = data.load([data.Source("toy:train")], place / "data").examples
    encode = Encoder(tokenizer, ("health", "sports"), 32)

    def order(seed: int, epoch: int) -> list[tuple[int, ...]]:
        rows = EpochData(examples, Objective([{"name": "plain"}]), encode, batch=8, seed=(seed, 0))
        rows.set_epoch(epoch)
        return [tuple(rows[place]["input_ids"]) for place in range(len(rows))]

    first = order(1, 0)
    assert first == order(1, 0)
    assert first != order(1, 1)
    assert first != order(2, 0)
    assert sorted(first) == sorted(order(1, 1))
    spread = [np.ptp([len(row) for row in first[start : start + 8]]) for start in range(0, 160, 8)]
    assert np.mean(spread) < 1
    assert [len(row) for row in first] != sorted(len(row) for row in first), "batches themselves are shuffled"


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_an_encoder_in_half_precision_is_trained_in_single(
    place: Path, tmp_path: Path, tokenizer: Any, pooling: str
) -> None:
    encoder, folder = tmp_path / "encoder", tmp_path / "model"
    AutoModel.from_pretrained(place / "encoder").half().save_pretrained(encoder)
    model = head.build(str(encoder), ("a", "b"), pooling=pooling, dropout=0, seed=1, tokenizer=tokenizer)
    model.save_pretrained(folder)
    for one in (model, head.load(folder)):
        assert {parameter.dtype for parameter in one.parameters()} == {torch.float32}


def test_mixed_singles_and_pairs_are_refused(tokenizer: Any) -> None:
    rows = [Example("1", Item("a"), "en", "x"), Example("2", Item("a", "b"), "en", "x")]
    with pytest.raises(ValueError, match="single texts and pairs are mixed"):
        Encoder(tokenizer, ("x",), 32)(rows)


@pytest.mark.parametrize("pooling", ["mean", "pair", "cls"])
def test_heads_ignore_padding_and_come_back_from_disk(
    place: Path, tmp_path: Path, tokenizer: Any, pooling: str
) -> None:
    model = head.build(
        str(place / "encoder"), ("a", "b"), pooling=pooling, dropout=0, seed=1, tokenizer=tokenizer
    ).eval()
    inputs = tokenizer(["the big team", "a"], ["doctor", "nurse a big"], padding=True, return_tensors="pt")
    wider = tokenizer(["the big team", "a"], ["doctor", "nurse a big"], padding="max_length", max_length=20,
                      return_tensors="pt")  # fmt: skip
    model.save_pretrained(tmp_path)
    with torch.inference_mode():
        logits = model(**inputs).logits
        torch.testing.assert_close(logits, model(**wider).logits)
        torch.testing.assert_close(logits, head.load(tmp_path).eval()(**inputs).logits)
    same = head.build(str(place / "encoder"), ("a", "b"), pooling=pooling, dropout=0, seed=1, tokenizer=tokenizer)
    assert all(torch.equal(values, same.state_dict()[name]) for name, values in model.state_dict().items())


def test_pair_pooling_compares_the_two_texts(place: Path, tokenizer: Any) -> None:
    model = head.build(str(place / "encoder"), ("a", "b"), pooling="pair", dropout=0, seed=1, tokenizer=tokenizer)
    states = torch.arange(7.0).reshape(1, 7, 1)
    ids = torch.tensor([[0, 5, 2, 2, 6, 7, 2]])
    a, b, gap, product = model._pool(states, ids, torch.ones_like(ids))[0].tolist()
    assert (a, b, gap, product) == (0.5, 4.5, 4.0, 2.25)
    alone = model._pool(states[:, :3], ids[:, :3], torch.ones_like(ids[:, :3]))[0].tolist()
    assert alone == [0.5, 0.5, 0.0, 0.25]


def test_only_whole_checkpoints_are_resumed_from(tmp_path: Path) -> None:
    assert loop.newest_checkpoint(tmp_path / "absent") is None
    for step, content in ((5, '{"global_step": 5}'), (10, '{"global_step": 10}'), (15, '{"global'), (20, None)):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if content is not None:
            (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text(content)
    newest = loop.newest_checkpoint(tmp_path)
    assert newest is not None
    assert newest.name == "checkpoint-10"


def test_scores_by_language() -> None:
    classifier = KeywordClassifier({"sports": ["team"], "health": ["nurse"]})
    rows = [("1", "team", "en", "sports"), ("2", "nurse", "en", "health"), ("3", "nurse", "en", "sports"),
            ("1", "team", "de", "sports")]  # fmt: skip
    examples = [Example(name, Item(text), lang, label) for name, text, lang, label in rows]
    german, english = score(classifier, examples, batch=2)
    assert (german.lang, german.n, german.accuracy, german.macro_f1) == ("de", 1, 1.0, 1.0)
    assert english.accuracy == pytest.approx(2 / 3)
    assert english.macro_f1 == pytest.approx(2 / 3)
    assert (english.low, english.high) == pytest.approx((0.2077, 0.9385), abs=1e-4)
    assert mean_accuracy([german, english]) == pytest.approx(5 / 6)
    with pytest.raises(ValueError, match=r"example 9 \(en\) has the label 'law'.*sports, health"):
        score(classifier, [Example("9", Item("a"), "en", "law")])


def test_what_cannot_run_says_so_before_training(place: Path, tmp_path: Path) -> None:
    plan = write_recipe(tmp_path / "toy.toml", place / "encoder", [STAGE])
    ask = CliRunner().invoke
    told = ask(app, ["run", str(plan), "--out", str(tmp_path / "out"), "--data", str(tmp_path / "nothing")])
    assert told.exit_code == 1
    assert "has no set 'toy'" in told.stderr
    assert "--data" in told.stderr
    told = ask(app, ["run", str(plan), "--out", str(tmp_path / "out"), "--encoder", "./absent"])
    assert "'./absent' is no folder with a config.json" in told.stderr
    assert not (tmp_path / "out").exists()
    (tmp_path / "theirs" / "model").mkdir(parents=True)
    for choice in ("--fresh", "--resume"):
        told = ask(app, ["run", str(plan), "--out", str(tmp_path / "theirs"), "--data", str(place / "data"), choice])
        assert "is not empty and holds no run" in told.stderr
    assert (tmp_path / "theirs" / "model").is_dir()


def test_smoothing_without_its_noise_in_training_is_told(place: Path, tmp_path: Path) -> None:
    noise = 'method = ["plain", { name = "random-perturbation", unit = "absolute", scale = 0.5 }]'
    told = {}
    for method, sigma in ((noise, 0.5), (noise, 0.25), ("", 0.5), ("", 0)):
        plan = write_recipe(tmp_path / "toy.toml", place / "encoder", [STAGE + method], head=f"smoothing = {sigma}")
        told[method, sigma] = gather(recipe.load(plan), place / "data").notes
    assert [key for key, notes in told.items() if any("does not train under that noise" in note for note in notes)] == [
        (noise, 0.25),
        ("", 0.5),
    ]


def test_list_names_recipes_and_methods() -> None:
    told = json.loads(CliRunner().invoke(app, ["list", "--json"]).stdout)
    assert set(told["recipes"]) == {"nli", "paraphrase", "topics"}
    assert set(told["methods"]) == set(methods.names())
    said = CliRunner().invoke(app, ["list"])
    assert said.exit_code == 0
    for name in (*recipe.names(), *methods.names()):
        assert name in said.stdout
