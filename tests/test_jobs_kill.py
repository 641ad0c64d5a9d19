"""Jobs whose prober or worker is killed in the middle: nothing is lost, nothing counted twice, the report the same."""

from __future__ import annotations

import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from runtime.classifier import OnnxClassifier
from service.probing.client import Probing
from service.probing.database import FILE
from service.probing.store import Job
from tests.fakes_jobs import BODY, report_of, settings_of, submission, undisturbed
from tests.fakes_service import ROOT, eventually, serving
from tests.test_prober import models_of

# blocks enough to be killed in, and work enough in each
LARGE = BODY | {
    "texts": [f"{text} {number}" for number in range(2) for text in BODY["texts"]],
    "languages": BODY["languages"] * 2,
}


@dataclass
class Worker:
    """A worker's side of real prober processes, and the report its jobs must end with."""

    probing: Probing
    wanted: str

    def job(self, name: str) -> Job:
        found = self.probing.store.get(name)
        assert found is not None
        return found

    def submit(self) -> str:
        name = self.probing.store.submit(submission(LARGE))[0].id
        self.probing.nudge()
        return name


@pytest.fixture(scope="module")
def worker(served_folder: Path, served: OnnxClassifier, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    settings = settings_of(tmp_path_factory.mktemp("state"), model=served_folder, max_job_texts=1000)
    probing = Probing(settings, models_of(served_folder, served))
    probing.start()
    yield Worker(probing, undisturbed(served, LARGE).to_json())
    probing.close()


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 100))])
def test_a_killed_prober_loses_nothing(worker: Worker, seed: int) -> None:
    random_moment = random.Random(seed)
    name = worker.submit()
    seen = [0]
    eventually(lambda: worker.job(name).state == "running")
    time.sleep(random_moment.uniform(0, 0.6))
    if (pid := worker.probing.pid) is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def ended() -> bool:
        job = worker.job(name)
        seen.append(job.done)
        return not job.alive

    eventually(ended)
    job = worker.job(name)
    assert (job.state, job.error, job.done) == ("done", None, job.wanted)
    assert seen == sorted(seen), "progress never goes back"
    assert report_of(worker.probing.store, name) == worker.wanted


def test_a_killed_worker_loses_nothing(served_folder: Path, served: OnnxClassifier, tmp_path: Path) -> None:
    with serving(served_folder, tmp_path / "log.txt", workers=1, MAX_JOB_TEXTS="1000", LEASE_S="2") as server:
        submitted = httpx.post(f"{server.url}/batteries", json=LARGE, headers={"Idempotency-Key": "a"}, timeout=30)
        assert submitted.status_code == 202
        address = f"{server.url}/batteries/{submitted.json()['id']}"
        eventually(lambda: httpx.get(address, timeout=30).json()["progress"]["done"] > 0)
        os.kill(server.workers()[0], signal.SIGKILL)

        def done() -> bool:
            with suppress(httpx.HTTPError):
                return httpx.get(address, timeout=30).json()["state"] in ("done", "failed")
            return False

        eventually(done)
        again = httpx.post(f"{server.url}/batteries", json=LARGE, headers={"Idempotency-Key": "a"}, timeout=30)
        assert (again.status_code, again.json()["state"]) == (200, "done")
        assert httpx.get(f"{address}/result", timeout=30).text == undisturbed(served, LARGE).to_json()


FULL = """
import os, resource, sys
from pathlib import Path
from service.probing.database import Database, DatabaseAway
from service.probing.store import Store, Submission
from service.settings import Settings

state = Path(sys.argv[1])
store = Store(Database("", state), Settings(state=state))
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
names = []
try:
    while True:
        names.append(store.submit(Submission("", None, "", "m", "b", 1, os.urandom(20_000)))[0].id)
except DatabaseAway as away:
    print(away.code, away.sentence)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.submit(Submission("", None, "", "m", "b", 1, b"{}"))
print(len(names) > 3 and all(store.get(name).state == "queued" for name in names))
"""


def test_a_full_disk_is_told_and_harms_nothing(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.stdout.splitlines() == ["storage_full There is no room left where jobs are kept.", "True"], (
        ended.stderr
    )


def test_a_job_that_finds_no_room_fails_as_soon_as_that_can_be_written(
    served_folder: Path, served: OnnxClassifier, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path, model=served_folder, max_job_texts=1000)
    probing = Probing(settings, models_of(served_folder, served))
    name = probing.store.submit(submission(LARGE))[0].id
    probing.start()
    try:
        eventually(lambda: probing.store.get(name).done)  # type: ignore[union-attr]
        assert probing.pid
        resource.prlimit(probing.pid, resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        time.sleep(1.5)
        resource.prlimit(probing.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        eventually(lambda: not probing.store.get(name).alive)  # type: ignore[union-attr]
        job = probing.store.get(name)
        assert job is not None and (job.state, job.error_code) == ("failed", "storage_full")
        assert "no room left" in (job.error or "")
    finally:
        probing.close()
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
