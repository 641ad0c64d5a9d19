"""A comparison that is killed again and again ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes_training import build_encoder, write_recipe, write_set

STAGE = 'name = "one"\ndata = ["toy:train"]\ndev = ["toy:dev"]\nepochs = 3\nbatch = 8\nlearning_rate = 2e-3\n'
SUITE = 'name = "toys"\n[clean]\ndata = ["toy:test"]\n[[noisy]]\nname = "typos"\nbattery = "quick"\nsteps = ["typos"]\n'
PROGRAM = "import typer; from training.comparison.command import compare_command; typer.run(compare_command)"
KILLS = 5


def report(out: Path) -> dict[str, Any]:
    """The report without what the clock says."""
    found: dict[str, Any] = json.loads((out / "report.json").read_text())
    del found["costs"], found["tables"]["costs"]
    return found


def start(place: Path, out: Path) -> subprocess.Popen[str]:
    words = [str(place / "plain.toml"), str(place / "copies.toml"), "--suite", str(place / "toys.toml"), "--seeds", "2",
             "--data", str(place / "data"), "--out", str(out), "--draws", "400"]  # fmt: skip
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                            text=True)  # fmt: skip


def paths(out: Path) -> set[str]:
    """Everything under the folder, some of which may go while this looks."""
    return {os.path.join(folder, name) for folder, folders, files in os.walk(out) for name in (*folders, *files)}


def kill_at(process: subprocess.Popen[str], out: Path, new: int) -> bool:
    """SIGKILL as soon as so many paths are there that were not; False if the comparison ends before."""
    before, seen = paths(out), set[str]()
    deadline = time.monotonic() + 600
    try:
        while len(seen) < new:
            if process.poll() is not None:
                assert process.returncode == 0, process.communicate()[1]
                return False
            assert time.monotonic() < deadline
            time.sleep(0.01)
            seen |= paths(out) - before
        return True
    finally:
        process.kill()  # SIGKILL: nothing of it runs any more
        process.communicate()


@pytest.mark.slow
def test_a_comparison_killed_at_random_moments_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    build_encoder(tmp_path / "encoder")
    for split, rows in (("train", 60), ("dev", 20)):
        write_set(tmp_path / "data" / "toy", split, rows)
    write_set(tmp_path / "data" / "toy", "test", 12, languages=("de", "en"))
    copies = STAGE + 'method = { name = "augment", form = "faithful", copies = 2 }\n'
    for name, stage in (("plain", STAGE), ("copies", copies)):
        write_recipe(tmp_path / f"{name}.toml", tmp_path / "encoder", [stage], head="dropout = 0.1")
    (tmp_path / "toys.toml").write_text(SUITE)

    rng, cut, whole = np.random.default_rng(20), tmp_path / "cut", tmp_path / "whole"
    killed = 0
    while killed < KILLS and kill_at(start(tmp_path, cut), cut, int(rng.integers(1, 60))):
        killed += 1
    assert killed >= 2, "it was over before it was killed twice"
    for out in (cut, whole):
        process = start(tmp_path, out)
        error = process.communicate(timeout=600)[1]
        assert process.returncode == 0, error
    assert report(cut) == report(whole)
    assert set(report(cut)["arms"]) == {"plain", "plain-45", "copies"}
    assert not list(cut.glob("cells/*/*/training-*")), "no checkpoints are left"
