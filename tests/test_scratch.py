"""Temporary folders: gone with their processes, those of killed ones swept, those of others and of the living kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.scratch import scratch
from tests.fakes_model import build_model_folder
from tests.fakes_service import ROOT, eventually, serving

HOLDER = """
import os, subprocess, sys
from pathlib import Path
from service.scratch import scratch
with scratch(Path(sys.argv[1]), "mine-") as (folder, lock):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], pass_fds=[lock])
    print(folder, child.pid, flush=True)
    child.wait()
"""


@contextmanager
def killed(parent: Path) -> Iterator[tuple[Path, int]]:
    """The folder of a process that was killed, and its child, which still works in it."""
    command = [sys.executable, "-c", HOLDER, str(parent)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        folder, child = holder.stdout.readline().split()
        try:
            holder.kill()
            holder.wait()
            yield Path(folder), int(child)
        finally:
            if Path(f"/proc/{child}").exists():
                os.kill(int(child), signal.SIGKILL)


def age(folder: Path) -> Path:
    os.utime(folder, (0, 0))
    return folder


def sweep(parent: Path) -> None:
    with scratch(parent, "mine-") as (folder, _):
        assert folder.is_dir()
    assert not folder.exists()


def test_a_folder_lasts_as_long_as_a_process_that_was_given_it(tmp_path: Path) -> None:
    with killed(tmp_path) as (left, child):
        sweep(age(left).parent)
        assert left.is_dir(), "its child is alive"
        os.kill(child, signal.SIGKILL)

        def swept() -> bool:
            sweep(tmp_path)
            return not left.exists()

        eventually(swept, 20)


def test_what_is_young_or_has_another_name_or_is_a_link_stays(tmp_path: Path) -> None:
    (tmp_path / "mine-young").mkdir()
    age_of = tmp_path / "theirs"
    age_of.mkdir()
    age(age_of)
    (tmp_path / "mine-link").symlink_to(age_of)
    sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"mine-young", "theirs", "mine-link"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_what_belongs_to_another_user_stays(tmp_path: Path) -> None:
    other = tmp_path / "mine-other"
    other.mkdir()
    os.chown(other, 12345, 12345)
    sweep(age(other).parent)
    assert other.is_dir()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where services that are started here put what is temporary."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def test_a_service_that_is_stopped_leaves_nothing_though_a_worker_was_killed(
    model: Path, tmp_path: Path, temporary: Path
) -> None:
    with serving(model, tmp_path / "log.txt") as server:
        [home] = temporary.iterdir()
        assert home.name.startswith("babelproof-home-") and any((home / "tmp").iterdir()), "where BentoML puts its own"
        [first] = server.workers()
        os.kill(first, signal.SIGKILL)
        eventually(lambda: server.workers() not in ([], [first]) and server.ready())
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(40) == 0
        assert list(temporary.iterdir()) == []


def test_a_service_that_was_killed_is_cleared_up_after_by_the_next(
    model: Path, tmp_path: Path, temporary: Path
) -> None:
    with serving(model, tmp_path / "log.txt") as server:
        workers = server.workers()
        server.process.kill()
        server.process.wait()
        [left] = temporary.iterdir()
        eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    assert age(left).is_dir()
    with serving(model, tmp_path / "log.txt"):
        [home] = temporary.iterdir()
        assert home != left
    assert list(temporary.iterdir()) == [], "nor does SIGTERM leave anything"
