"""The supervisor at the moments that are hard to meet: told to stop while it starts a worker, metrics in use."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from service.metrics_files import reading
from service.settings import Settings
from service.supervisor import Supervisor, Worker, listen


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with (tmp_path / "lock").open("w") as lock, listen("127.0.0.1", 0) as listener:
        yield Supervisor(Settings(metrics_dir=tmp_path), listener, tmp_path, lock.fileno())
        signal.alarm(0)


def test_told_to_stop_it_starts_nobody_and_kills_nobody(supervisor: Supervisor) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        supervisor.workers[other.pid] = Worker(other, 1, time.monotonic())
        supervisor._stop()
        signal.alarm(0)
        supervisor._start(2)  # as where the signal came just before
        assert list(supervisor.workers) == [other.pid]
        assert other.wait() == -signal.SIGTERM


def test_a_worker_that_cannot_be_started_is_an_error(supervisor: Supervisor) -> None:
    supervisor.listener.close()
    with pytest.raises(ValueError, match="fds"):
        supervisor._start(1)


def test_what_a_worker_counted_waits_until_nobody_reads(supervisor: Supervisor, tmp_path: Path) -> None:
    for pid in (7, 8):
        (tmp_path / f"gauge_livesum_{pid}.db").touch()
    with reading(tmp_path):
        supervisor._bury(7)
    assert len(list(tmp_path.glob("*.db"))) == 2
    supervisor._bury(8)
    assert [path.name for path in tmp_path.glob("*.db")] == ["counter_gone.db"]


@pytest.mark.parametrize(("stopping", "counted"), [(False, 1.0), (True, None)])
def test_only_a_worker_that_is_replaced_counts_as_replaced(
    supervisor: Supervisor, tmp_path: Path, stopping: bool, counted: float | None
) -> None:
    with subprocess.Popen(["true"]) as ended:
        supervisor.workers[ended.pid] = Worker(ended, 1, time.monotonic())
        supervisor.stopping = stopping
        supervisor._reap(*os.waitpid(ended.pid, 0))
    assert len(supervisor.workers) == (not stopping)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(tmp_path))
    assert registry.get_sample_value("babelproof_worker_replacements_total") == counted
    supervisor._kill()
    for worker in supervisor.workers.values():
        worker.process.wait()
