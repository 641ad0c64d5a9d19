"""Long runs: cells that are settled stop early, memory stays where it is, and the command says so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from probes.battery import LAG, parse, run
from probes.running.state import BLOCK
from probes.statistics.sequential import Sequential
from probes.types import Example, Item
from runtime.cli import app
from tests.fakes_probes import EXAMPLES, make_topics

ROOT = Path(__file__).resolve().parent.parent
STEPS = [
    {"name": "fragile", "perturbations": ["drop"], "strength": 1.0},
    {"name": "firm", "perturbations": ["punctuation"], "strength": 0.3},
    {"name": "close", "perturbations": ["drop"], "strength": 0.15},
]
TEXTS = [Example(str(i), Item(f"The team number {i} won."), "en", "sports") for i in range(BLOCK * (LAG + 12))]


def stopped(**options):
    rule = Sequential([("en", str(step["name"])) for step in STEPS], tolerated=0.7)
    return run(parse({"steps": STEPS}), make_topics(), TEXTS, stopping=rule, **options)


def test_settled_cells_stop_and_however_many_workers_there_are_at_the_same_text(tmp_path):
    report = stopped()
    asked = {step["name"]: sum(o.step == step["name"] for o in report.outcomes) for step in STEPS}
    assert asked["close"] == len(TEXTS), "what is near the tolerated rate needs every text"
    assert asked["firm"] % BLOCK == 0 and BLOCK * LAG <= asked["firm"] < len(TEXTS)
    assert report.provenance["stopping"]["tolerated"] == 0.7
    assert stopped(workers=3).to_json() == report.to_json()


@pytest.mark.parametrize("outcomes", [700, 1000])
def test_a_run_that_stops_early_goes_on_as_if_nothing_had_been(tmp_path, outcomes):
    class Lost(Exception):
        pass

    def tired(done, wanted):
        if done > outcomes:
            raise Lost

    whole = stopped().to_json()
    with pytest.raises(Lost):
        stopped(state=tmp_path, progress=tired)
    assert stopped(state=tmp_path).to_json() == whole


MEASURED = """
import resource, sys
from pathlib import Path
import numpy as np
from probes.battery import parse, run
from probes.types import Example, Item

class Coin:
    labels = ("heads", "tails")
    def __call__(self, items):
        return np.array([[len(item.text) % 2, 1 - len(item.text) % 2] for item in items])

n, folder = int(sys.argv[1]), Path(sys.argv[2])
battery = parse({"steps": [{"name": "a", "perturbations": ["whitespace"], "strength": 0.2}]})
texts = (Example(str(i), Item(f"The team number {i} won."), "en") for i in range(n))
report = run(battery, Coin(), texts, state=folder)
print(len(report.outcomes), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize(("few", "many"), [(500, 4000), pytest.param(5000, 40000, marks=pytest.mark.slow)])
def test_memory_does_not_grow_with_the_number_of_texts(tmp_path, few, many):
    used = []
    for n in (few, many):
        command = [sys.executable, "-c", MEASURED, str(n), str(tmp_path / str(n))]
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        outcomes, kilobytes = map(int, found.stdout.split())
        assert outcomes == n
        used.append(kilobytes)
    assert used[1] - used[0] < 8 * 1024, "a thousand texts and their outcomes are a megabyte and more"


@pytest.fixture
def data(tmp_path):
    file = tmp_path / "texts.jsonl"
    rows = [{"id": e.id, "lang": e.lang, "text": e.item.text, "label": e.label} for e in EXAMPLES]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(file)


def call(*arguments, status=0):
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == status, result.output
    return result


def test_the_command_keeps_a_run_and_its_answers(data, tmp_path):
    wanted = ("run", "quick", "--model", "tests.test_runs:Known", "--data", data, "--json")
    plain = call(*wanted).stdout
    kept = (*wanted, "--state", tmp_path / "state", "--store", tmp_path / "answers.sqlite", "--workers", 2)
    assert call(*kept).stdout == plain
    assert call(*kept).stdout == plain
    said = call(*kept[:1], "noise", *kept[2:], status=2).output
    assert "holds a run with other battery; name another folder, or delete this one to begin anew" in said
    refused = call(*wanted[:3], "tests.fakes_probes:topics", *wanted[4:], "--store", tmp_path / "a", status=2).output
    assert refused.strip().startswith("error: KeywordClassifier has no digest")
