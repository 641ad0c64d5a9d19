"""A run on a Ray cluster gives the bytes of a run here, whatever is killed; only the slow tests need ray."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

from probes.battery import run
from runtime.cli import app
from runtime.ray_engine import EngineError, EngineName, RayEngine, choose
from tests.fakes_model import build_model_folder
from tests.fakes_probes import EXAMPLES, make_topics
from tests.test_runs import BATTERY, MANY, ROOT, Known

# Each node has one CPU. Workers of Ray give way to everything else on the machine unless told otherwise.
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
SETTINGS = {"RAY_worker_niceness": "0", "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
WATCHED = "tests.fakes_ray:Watched"


class Distant:
    """An engine that gets no more of a run than can be sent."""

    def ordered(self, probe, work, ahead):
        for one in work:
            probe, sent = pickle.loads(pickle.dumps((probe, one)))
            yield probe(sent, make_topics())


def test_another_engine_changes_no_byte_and_says_how_far_it_is(tmp_path):
    said = []
    found = run(BATTERY, make_topics(), MANY[:40], engine=Distant(), progress=lambda *at: said.append(at))
    assert found.to_json() == run(BATTERY, make_topics(), MANY[:40]).to_json()
    assert said == [(32 * 3, 120), (120, 120)]
    with pytest.raises(ValueError, match="workers and an answer store are those of this process"):
        run(BATTERY, Known(), EXAMPLES, engine=Distant(), workers=2)


def test_what_does_not_go_together_is_refused(tmp_path, monkeypatch):
    def call(*options):
        command = ("run", "quick", "--model", "tests.fakes_probes:topics", "--data", "none.jsonl", *options)
        found = CliRunner().invoke(app, command)
        assert found.exit_code == 2
        return found.output

    assert "--ray-address is of --engine ray" in call("--ray-address", "auto")
    assert "--store is a file of this machine" in call("--engine", "ray", "--store", "answers.sqlite")
    assert choose(EngineName.local, "x", address=None, workers=2, store=Path("y")).__enter__() is None
    monkeypatch.setitem(sys.modules, "ray", None)  # what an import finds where nothing is installed
    assert "needs ray, here and on every node: pip install -c constraints.txt -e '.[ray]'" in call("--engine", "ray")


@pytest.fixture(scope="module")
def traces(tmp_path_factory):
    return tmp_path_factory.mktemp("traces")


@pytest.fixture(scope="module")
def cluster(traces):
    """Two nodes on this machine, to which this process is connected, each with a process that is ready."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (SETTINGS | {"BABELPROOF_TEST_TRACES": str(traces)}).items():
            patch.setenv(name, value)
        ray = pytest.importorskip("ray", reason="pip install -c constraints.txt -e '.[ray]'")
        found = pytest.importorskip("ray.cluster_utils").Cluster(
            initialize_head=True, head_node_args=NODE | {"include_dashboard": False}
        )
        try:
            found.add_node(**NODE)
            ray.init(found.address, log_to_driver=False)
            ready = ray.remote(num_cpus=1, scheduling_strategy="SPREAD")(import_module("tests.fakes_ray").linger).remote
            assert len(set(ray.get([ready(5), ready(5)]))) == 2
            yield found
        finally:
            ray.shutdown()
            found.shutdown()


@pytest.fixture(scope="module")
def here():
    return run(BATTERY, Known(), MANY).to_json()


def on(target, examples=MANY, **options):
    with RayEngine(target) as engine:
        return run(BATTERY, Known(), examples, engine=engine, **options)


@pytest.mark.slow
def test_a_killed_worker_loses_and_doubles_nothing(cluster, traces, here):
    (traces / "die").touch()
    assert on(WATCHED).to_json() == here
    assert not (traces / "die").exists()


@pytest.mark.slow
def test_a_run_given_up_in_the_middle_goes_on(cluster, tmp_path, here):
    class Lost(Exception):
        pass

    def tired(done, wanted):
        raise Lost

    with pytest.raises(Lost):
        on("tests.test_runs:Known", state=tmp_path, progress=tired)
    said = []
    found = on("tests.test_runs:Known", state=tmp_path, progress=lambda *at: said.append(at))
    assert found.to_json() == here and said[0][0] == 32 * 3


@pytest.mark.slow
def test_what_goes_wrong_on_a_node_is_told_here(cluster):
    with pytest.raises(ArithmeticError, match=r"^the model overflowed$"):
        on("tests.fakes_ray:Broken", EXAMPLES)
    with pytest.raises(EngineError, match=r"^node \S+ cannot open the model: .*every node needs"):
        on("models/nowhere", EXAMPLES)
    with pytest.raises(EngineError, match=r"^node \S+ has other classifier: .*KeywordClass.*; this machine .*Known"):
        on("tests.fakes_probes:topics", EXAMPLES)
    late = on("tests.test_runs:Known", EXAMPLES, deadline=0)
    assert late.truncated and late.to_json() == run(BATTERY, Known(), EXAMPLES, deadline=0).to_json()


@pytest.mark.slow
def test_the_command_prints_the_same_report_of_a_model_folder(cluster, tmp_path):
    build_model_folder(tmp_path / "model")
    rows = [{"id": e.id, "lang": e.lang, "text": e.item.text} for e in MANY[:40]]
    data = tmp_path / "texts.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    wanted = ["run", "quick", "--model", str(tmp_path / "model"), "--data", str(data), "--json"]
    ray = ["--engine", "ray", "--ray-address", cluster.address, "--workers", "1"]
    found = subprocess.run([sys.executable, "-m", "runtime.cli", *wanted, *ray], cwd=ROOT, capture_output=True)
    assert found.returncode == 0, found.stderr.decode()
    assert found.stdout == CliRunner().invoke(app, wanted).stdout_bytes
    nobody = [*wanted, "--engine", "ray", "--ray-address", "127.0.0.1:1"]
    found = subprocess.run([sys.executable, "-m", "runtime.cli", *nobody], cwd=ROOT, capture_output=True)
    assert found.returncode == 2 and found.stderr.startswith(b"error: no Ray cluster at 127.0.0.1:1: ")


@pytest.mark.slow
def test_a_lost_node_loses_and_doubles_nothing(cluster, traces, here):
    """The last test of the cluster, of which it leaves one node."""
    [node] = cluster.worker_nodes

    def pull_the_plug(done, wanted):
        if node in cluster.worker_nodes:
            working, until = traces / f"working-{node.node_id}", time.monotonic() + 30
            working.unlink(missing_ok=True)
            while not working.exists():
                assert time.monotonic() < until, "it was to be lost at its work"
                time.sleep(0.01)
            cluster.remove_node(node, allow_graceful=False)

    assert on(WATCHED, progress=pull_the_plug).to_json() == here
