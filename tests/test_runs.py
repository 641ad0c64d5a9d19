"""Runs people can trust: the same bytes whatever the order, the workers, the kills; nothing asked twice."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from probes.battery import load, parse, run
from probes.data import DataError
from probes.running.database import StoreError
from probes.running.state import FILE
from probes.running.workers import Crew, WorkerError
from probes.types import Example, Item
from tests.fakes import KeywordClassifier
from tests.fakes_probes import EXAMPLES, TOPICS, make_topics

ROOT = Path(__file__).resolve().parent.parent
BATTERY = parse(
    {
        "name": "mixed",
        "steps": [
            {"name": "typos", "perturbations": ["keyboard", "swap"], "strength": 0.1, "draws": 2},
            {"name": "hunt", "perturbations": ["drop"], "kind": "attack", "attack": "greedy", "budget": 40},
        ],
    }
)
MANY = [
    replace(example, id=f"{example.id}-{turn}", item=Item(f"{example.item.text} {turn}"))
    for turn in range(26)
    for example in EXAMPLES
]


class Known(KeywordClassifier):
    """A classifier that says which it is."""

    digest = "topics-1"

    def __init__(self):
        super().__init__(TOPICS)


@pytest.fixture(scope="module")
def undisturbed():
    return run(BATTERY, make_topics(), MANY).to_json()


def shuffled(seed):
    return random.Random(seed).sample(MANY, len(MANY))


@pytest.mark.parametrize("workers", [2, 8])
def test_workers_and_order_change_no_byte(workers, undisturbed):
    assert run(BATTERY, make_topics(), iter(shuffled(workers)), workers=workers).to_json() == undisturbed


def test_translations_of_one_id_in_any_order_are_one_data_set():
    texts = [Example("1", Item("The team."), "en"), Example("1", Item("Die Mannschaft."), "de")]
    assert run(BATTERY, make_topics(), texts).to_json() == run(BATTERY, make_topics(), texts[::-1]).to_json()


def test_a_draw_is_that_of_its_text_whatever_it_is_called_and_stands_among():
    def after(name, draws, *others):
        step = {"name": name, "perturbations": ["drop", "swap"], "strength": 0.2, "draws": draws}
        report = run(parse({"steps": [*others, step]}), make_topics(), examples)
        return {(o.before, o.draw): o.after for o in report.outcomes if o.step == name}

    examples = MANY[:20]
    first = after("a", 2)
    examples = [replace(example, id=f"other {example.id}") for example in MANY[:20]]
    again = after("b", 3, {"name": "c", "perturbations": ["case"]})
    assert first.items() <= again.items() and len(set(first.values())) > 30


def test_another_seed_strength_or_draw_is_another_draw():
    def drawn(seed=0, **step):
        step = {"name": "a", "perturbations": ["drop"], "strength": 0.2} | step
        return [o.after for o in run(parse({"steps": [step], "seed": seed}), make_topics(), MANY[:20]).outcomes]

    plain = drawn()
    assert drawn() == plain
    for other in (drawn(seed=1), drawn(strength=0.21), drawn(draws=2)[1::2]):
        assert sum(a == b for a, b in zip(plain, other, strict=True)) < 5


def test_a_run_again_makes_no_model_call(tmp_path, undisturbed):
    store, first, again = tmp_path / "answers.sqlite", Known(), Known()
    report = run(BATTERY, first, MANY, store=store).to_json()
    assert run(BATTERY, again, shuffled(1), store=store, workers=2).to_json() == report
    assert first.calls > 0 and again.calls == 0
    assert report == undisturbed.replace('"type":"KeywordClassifier"', '"type":"Known"')


def test_a_store_asks_only_what_is_new_and_knows_models_apart(tmp_path):
    store, model = tmp_path / "answers.sqlite", Known()
    run(BATTERY, model, MANY[:40], store=store)
    asked = len(model.seen)
    wider = replace(BATTERY, steps=(*BATTERY.steps, replace(BATTERY.steps[0], name="more", strength=0.3)))
    run(wider, model, MANY[:40], store=store)
    assert 0 < len(model.seen) - asked <= 2 * 40, "the clean texts and the old steps are known"
    other = Known()
    other.digest = "topics-2"
    run(BATTERY, other, MANY[:40], store=store)
    assert len(other.seen) == asked


def test_a_model_without_a_digest_has_no_store(tmp_path):
    with pytest.raises(StoreError, match=r"KeywordClassifier has no digest.*attribute `digest`"):
        run(BATTERY, make_topics(), EXAMPLES, store=tmp_path / "answers.sqlite")


def test_two_processes_may_share_a_store(tmp_path):
    store = tmp_path / "answers.sqlite"
    both = [start(tmp_path / name, "--store", store) for name in ("a", "b")]
    assert [process.wait(60) for process in both] == [0, 0]
    first, second = ((tmp_path / name / "report.json").read_bytes() for name in ("a", "b"))
    assert first == second
    model = Known()
    run(BATTERY, model, MANY, store=store)
    assert model.calls == 0


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_run_killed_at_any_moment_goes_on_as_if_nothing_had_been(tmp_path, workers, undisturbed):
    """Real processes, killed with SIGKILL at random moments until one comes to its end."""
    rng, options = random.Random(5), ("--state", tmp_path / "state", "--store", tmp_path / "s.sqlite")
    for _ in range(5):
        process = start(tmp_path, *options, "--workers", workers, "--slow", 0.03)
        file = tmp_path / "state" / FILE
        while not file.exists():
            time.sleep(0.01)
        time.sleep(rng.random())
        assert process.poll() is None, "it was to be killed before its end"
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    assert start(tmp_path, *options, "--workers", workers).wait(60) == 0
    found = (tmp_path / "report.json").read_text(encoding="utf-8")
    assert found == undisturbed.replace('"type":"KeywordClassifier"', '"type":"Known"')


def test_a_block_that_is_done_is_not_done_again(tmp_path):
    class Topics(KeywordClassifier):
        lasts = 60

        def __call__(self, items):
            if self.calls == self.lasts:
                raise RuntimeError("the power failed")
            return super().__call__(items)

    with pytest.raises(RuntimeError, match="power"):
        run(BATTERY, Topics(TOPICS), MANY, state=tmp_path)
    said, model, whole = [], Topics(TOPICS), make_topics()
    model.lasts = None
    report = run(BATTERY, model, shuffled(2), state=tmp_path, progress=lambda *at: said.append(at))
    run(BATTERY, whole, MANY)
    assert 0 < len(model.seen) < len(whole.seen)
    assert said[0][0] > 0 and said[-1] == (len(report.outcomes), len(report.outcomes))


def test_the_outcomes_of_a_state_are_read_as_they_are_wanted(tmp_path, undisturbed):
    report = run(BATTERY, make_topics(), MANY, state=tmp_path)
    assert not isinstance(report.outcomes, tuple)
    assert report.to_json() == undisturbed
    plain = run(BATTERY, make_topics(), MANY)
    for by in (("lang", "step"), ("lang",), ("step",), ()):
        assert report.rows(by) == plain.rows(by)
    assert report.outcomes[3] == list(report.outcomes)[3] and report.outcomes[-2:] == tuple(report.outcomes)[-2:]
    again = make_topics()
    assert run(BATTERY, again, MANY, state=tmp_path).to_json() == undisturbed and again.calls == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"battery": load("quick")}, "other battery"),
        ({"examples": MANY[1:]}, "other examples"),
        ({"classifier": KeywordClassifier({"a": (), "sports": (), "health": (), "other": ()})}, "other classifier"),
    ],
)
def test_a_state_is_that_of_one_run(tmp_path, change, said):
    run(BATTERY, make_topics(), MANY[:40], state=tmp_path)
    wanted = {"battery": BATTERY, "classifier": make_topics(), "examples": MANY[:40]} | change
    with pytest.raises(StoreError, match=f"{FILE} holds a run with {said}; name another folder, or delete"):
        run(wanted["battery"], wanted["classifier"], wanted["examples"], state=tmp_path)


def test_a_deadline_leaves_the_rest_to_the_next_call(tmp_path, undisturbed):
    assert run(BATTERY, make_topics(), MANY, state=tmp_path, deadline=0).truncated
    assert run(BATTERY, make_topics(), MANY, state=tmp_path).to_json() == undisturbed


def test_files_that_cannot_be_used_are_named(tmp_path):
    file = tmp_path / "answers.sqlite"
    file.write_text("this is no database, whatever its name says" * 100, encoding="utf-8")
    with pytest.raises(StoreError, match=r"answers\.sqlite is damaged, or is not an answer store .*delete it"):
        run(BATTERY, Known(), EXAMPLES, store=file)
    file.unlink()
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE mine (x)")
    other.close()
    with pytest.raises(StoreError, match="a database of something else"):
        run(BATTERY, Known(), EXAMPLES, store=file)
    with pytest.raises(StoreError, match="cannot be used as an answer store"):
        run(BATTERY, Known(), EXAMPLES, store=tmp_path)
    run(BATTERY, Known(), EXAMPLES, state=tmp_path / "state")
    with sqlite3.connect(tmp_path / "state" / FILE) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("UPDATE facts SET said = said")
        holder.commit()
        with pytest.raises(StoreError, match="in use by another process"):
            run(BATTERY, Known(), EXAMPLES, state=tmp_path / "state")
    holder.close()


def test_a_torn_store_is_a_clear_message(tmp_path):
    file = tmp_path / "answers.sqlite"
    run(BATTERY, Known(), MANY, store=file)
    whole = bytearray(file.read_bytes())
    whole[4096:] = b"\xa5" * (len(whole) - 4096)
    file.write_bytes(whole)
    with pytest.raises(StoreError, match=r"answers\.sqlite is damaged"):
        run(BATTERY, Known(), MANY, store=file)


def test_an_id_stands_once_in_a_language():
    with pytest.raises(DataError, match="two en examples have the id 'en1'"):
        run(BATTERY, make_topics(), [EXAMPLES[0], EXAMPLES[0]])


def start(out, *options):
    command = [sys.executable, "-m", "tests.fakes_run", str(out), *map(str, options)]
    return subprocess.Popen(command, cwd=ROOT)


def test_a_worker_that_ends_before_its_work_is_told():
    with Crew(2) as crew, pytest.raises(WorkerError, match="a worker's process ended before its work"):
        list(crew.compute(os._exit, [3]))


def test_a_failure_comes_in_its_turn_whoever_was_faster():
    def work(number):
        time.sleep(0.05 * (number == 0))
        if number == 1:
            raise KeyError("the second")
        return number

    with Crew(3) as crew:
        results = crew.ordered(work, range(9), ahead=3)
        assert next(results) == 0
        with pytest.raises(KeyError, match="the second"):
            next(results)
    with pytest.raises(ValueError, match="at least one"):
        Crew(0)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="Linux says there who is whose child")
def test_processes_leave_with_a_parent_that_was_killed(tmp_path):
    process = start(tmp_path, "--slow", 0.2, "--workers", 2)
    threads = Path(f"/proc/{process.pid}/task")
    found: set[str] = set()
    until = time.monotonic() + 20
    while len(found) < 3 and time.monotonic() < until:
        found = {child for children in threads.glob("*/children") for child in children.read_text().split()}
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    while any(Path("/proc", child).exists() for child in found) and time.monotonic() < until:
        time.sleep(0.05)
    assert len(found) >= 3 and not any(Path("/proc", child).exists() for child in found)
