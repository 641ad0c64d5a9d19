"""Two processes train one model: each on its share of every batch, one of them writing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate.data_loader import prepare_data_loader
from rich.console import Console
from torch.utils.data import DataLoader, SequentialSampler
from transformers import AutoTokenizer

from tests.fakes_training import build_encoder, write_recipe, write_set
from training import data, head, processes, recipe, run
from training.epochs import Encoder, EpochData
from training.inputs import gather

STAGE = 'name = "one"\ndata = ["toy:train"]\ndev = ["toy:dev"]\nepochs = 2\nbatch = 8\nlearning_rate = 1e-3\n'


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an encoder and, under data/, the set toy."""
    root = tmp_path_factory.mktemp("processes")
    build_encoder(root / "encoder")
    for split, rows in (("train", 64), ("dev", 20)):
        write_set(root / "data" / "toy", split, rows)
    return root


def test_a_process_alone_writes_and_has_the_whole_batch() -> None:
    assert processes.here().is_main_process
    assert processes.share(7) == 7


def test_each_process_gets_its_share_of_every_batch(place: Path) -> None:
    rows = data.load([data.Source("toy:train")], place / "data").examples
    encode = Encoder(AutoTokenizer.from_pretrained(place / "encoder"), ("health", "sports"), 32)
    plain = recipe.Stage("one", (data.Source("toy:train"),)).objective
    epoch = EpochData(rows, plain, encode, batch=8, seed=(1, 0))
    loader = DataLoader(epoch, batch_size=8, sampler=SequentialSampler(epoch), collate_fn=list)
    both: list[Any] = [
        prepare_data_loader(loader, num_processes=2, process_index=index, split_batches=True, put_on_device=False)
        for index in range(2)
    ]
    for number in range(2):
        epoch.set_epoch(number)
        steps = list(zip(*both, strict=True))
        assert len(steps) == 8
        assert {(len(first), len(second)) for first, second in steps} == {(4, 4)}
        assert [row for first, second in steps for row in first + second] == [epoch[place] for place in range(64)]


@pytest.mark.slow
def test_two_processes_make_the_model_that_one_makes(place: Path, tmp_path: Path) -> None:
    plan = write_recipe(tmp_path / "toy.toml", place / "encoder", [STAGE], head='precision = "fp32"',
                        test='data = ["toy:dev"]')  # fmt: skip
    out = tmp_path / "two"
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2", "-m"]
    command = ["training.cli", "run", str(plan), "--out", str(out), "--data", str(place / "data")]
    done = subprocess.run([*launch, *command], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("model folder: ") == 1
    assert sorted(path.name for path in out.iterdir()) == ["logs", "model", "run.json", "scores.json", "stages"]
    assert len(list(out.rglob("events.out.tfevents.*"))) == 1
    alone = run.run(gather(recipe.load(plan), place / "data"), tmp_path / "one", console=Console(stderr=True))
    assert alone is not None
    one, two = ((folder / "stages" / "1-one") for folder in (tmp_path / "one", out))
    assert (one / "done.json").read_text() == (two / "done.json").read_text()
    expected = head.load(one / "model").state_dict()
    for name, values in head.load(two / "model").state_dict().items():
        torch.testing.assert_close(values, expected[name], atol=1e-3, rtol=1e-2, msg=name)
