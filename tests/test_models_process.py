"""Models and their workers as processes: swapped and rolled back in all of them, and left in order."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes_models import NEW, OLD, switch, two_folders
from tests.fakes_service import Server, eventually, serving


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    return two_folders(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def server(folders: tuple[Path, Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("log") / "log.txt"
    with serving(folders[0], log, workers=2, LAME_DUCK_S="2") as started:
        yield started


def labels(server: Server, n: int = 12) -> set[str]:
    """What a text is labelled over new connections, so that both workers get some."""
    answers = [httpx.post(f"{server.url}/predict", json={"inputs": "vote"}, timeout=30) for _ in range(n)]
    assert {answer.status_code for answer in answers} == {200}
    return {answer.json()[0]["label"] for answer in answers}


def test_all_workers_take_a_new_folder_and_go_back_within_a_second(
    server: Server, folders: tuple[Path, Path, Path]
) -> None:
    link, _, new = folders
    assert labels(server) == {OLD}
    switch(link, new)
    eventually(lambda: labels(server) == {NEW}, 30)
    told: dict[str, Any] = httpx.get(f"{server.url}/models/current").json()
    answer = httpx.post(f"{server.url}/models/current/rollback", timeout=30)
    assert (answer.status_code, answer.json()["active"]["sha256"]) == (200, told["previous"])
    eventually(lambda: labels(server) == {OLD}, 10)
    assert "failed" not in server.log.read_text()


def test_on_sigterm_it_is_not_ready_first_and_answers_still(server: Server) -> None:
    with httpx.Client(base_url=server.url, timeout=30) as kept:
        assert kept.get("/readyz").status_code == 200
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: httpx.get(f"{server.url}/readyz", timeout=5).status_code == 503, 10)
        answer = httpx.post(f"{server.url}/predict", json={"inputs": "vote"}, timeout=5)
        assert (answer.status_code, answer.headers["Connection"]) == (200, "close")
        assert httpx.get(f"{server.url}/livez", timeout=5).status_code == 200
        assert kept.post("/predict", json={"inputs": "vote"}).status_code == 200
    assert server.process.wait(40) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/readyz", timeout=5)
