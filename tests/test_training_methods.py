"""Methods in a run: recipes of one line, methods of one's own, and runs that cannot go on."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

from tests.fakes_training import STAGE, build_place, trained, write_recipe
from training import data, head, recipe
from training.epochs import Collator, Encoder, EpochData
from training.objective import Objective
from training.trainer import MethodTrainer, TrainingStopped


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_place(tmp_path_factory.mktemp("training"))


@pytest.fixture(scope="module")
def tokenizer(place: Path) -> Any:
    return AutoTokenizer.from_pretrained(place / "encoder")


def test_a_method_of_ones_own_prepares_every_epoch_and_makes_the_loss(
    place: Path, tmp_path: Path, tokenizer: Any
) -> None:
    lines = STAGE.replace("epochs = 4", "epochs = 2") + 'method = "tests.fakes_training:Renaming"'
    plan = recipe.load(write_recipe(tmp_path / "toy.toml", place / "encoder", [lines]))
    examples = data.load(plan.stage[0].data, place / "data").examples
    encode = Encoder(tokenizer, ("health", "sports"), 32)
    rows = EpochData(examples, plan.stage[0].objective, encode, batch=8, seed=(1, 0))
    lengths = []
    for epoch in (0, 1, 2, 0):
        rows.set_epoch(epoch)
        lengths.append(sum(len(rows[place]["input_ids"]) for place in range(len(rows))))
    assert len(set(lengths)) > 1
    assert lengths[3] == lengths[0]
    model = head.build(
        str(place / "encoder"), ("health", "sports"), pooling="mean", dropout=0, seed=1, tokenizer=tokenizer
    )
    batch = {"input_ids": torch.tensor([[0, 5, 2]]), "attention_mask": torch.ones(1, 3, dtype=torch.long),
             "labels": torch.tensor([1])}  # fmt: skip
    trainer = MethodTrainer(
        model, objective=plan.stage[0].objective, special=(0, 1, 2), seed=(1, 0), head_learning_rate=1.0
    )
    assert trainer.compute_loss(model, batch).item() == pytest.approx(model(**batch).loss.item() / 2)
    _, result = trained(plan, place, tmp_path, tokenizer)
    assert result["steps"] == 40


def test_a_second_version_of_every_row_is_seen_beside_it(place: Path, tokenizer: Any) -> None:
    examples = data.load([data.Source("toy:train")], place / "data").examples
    objective = Objective([{"name": "consistency", "perturbations": ["word_drop"], "strength": 0.5}])
    rows = EpochData(examples, objective, Encoder(tokenizer, ("health", "sports"), 32), batch=8, seed=(1, 0))
    first = [rows[number] for number in range(8)]
    assert all("view_input_ids" in row and "view_labels" not in row for row in first)
    assert any(len(row["view_input_ids"]) < len(row["input_ids"]) for row in first)
    batch = Collator(tokenizer)(first)
    assert batch["view_input_ids"].shape == batch["view_attention_mask"].shape
    assert int(batch["view_attention_mask"].sum()) == sum(len(row["view_input_ids"]) for row in first)
    rows.set_epoch(1)
    assert [rows[number]["view_input_ids"] for number in range(8)] != [row["view_input_ids"] for row in first]


@pytest.mark.parametrize("method", ["adversarial", "random-perturbation", "consistency"])
def test_a_robust_method_is_one_line_of_a_recipe(place: Path, tmp_path: Path, tokenizer: Any, method: str) -> None:
    plan = recipe.load(write_recipe(tmp_path / "toy.toml", place / "encoder", [STAGE + f'method = "{method}"']))
    _, result = trained(plan, place, tmp_path, tokenizer)
    assert result["dev_accuracy"] > 0.9


@pytest.mark.parametrize(("where", "message"), [("loss", "the loss of clean"), ("gradient", "the gradient")])
def test_a_loss_or_gradient_that_is_no_number_stops_before_anything_is_spoilt(
    place: Path, tmp_path: Path, tokenizer: Any, where: str, message: str
) -> None:
    lines = STAGE.replace("epochs = 4", "epochs = 3") + f'method = "tests.fakes_training:Breaking{where.title()}"'
    plan = recipe.load(write_recipe(tmp_path / "toy.toml", place / "encoder", [lines]))
    with pytest.raises(TrainingStopped, match=rf"step 31: {message} is not a number; .*checkpoint-20 is kept"):
        trained(plan, place, tmp_path, tokenizer)
    for thread in threading.enumerate():
        if type(thread).__name__ in ("_RefreshThread", "_AsyncWriterThread"):
            thread.join(5)
            assert not thread.is_alive(), "progress and logs are closed"
    file = tmp_path / "stage" / "checkpoint-20" / ("model.safetensors" if where == "loss" else "optimizer.pt")
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(TrainingStopped, match=r"checkpoint-20 or the best one .* is damaged and could not be read"):
        trained(plan, place, tmp_path, tokenizer)


def test_a_disk_that_fills_up_loses_no_checkpoint(place: Path, tmp_path: Path) -> None:
    """A limit on file size stands for the full disk: the checkpoint that does not fit is told, the one before stays."""
    plan = write_recipe(tmp_path / "toy.toml", place / "encoder", [STAGE])
    out = tmp_path / "out"
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000));"
        "from training.cli import app; app(sys.argv[1:])"
    )
    command = ["run", str(plan), "--out", str(out), "--data", str(place / "data")]
    done = subprocess.run([sys.executable, "-c", script, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "could not be written" in done.stderr and "no checkpoint was written yet" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    whole = subprocess.run(
        [sys.executable, "-m", "training.cli", *command], capture_output=True, text=True, check=False
    )
    assert whole.returncode == 0, whole.stderr
