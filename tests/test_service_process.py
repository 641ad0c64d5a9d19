"""The service as processes: real clients, large bodies, killed workers, signals, what is imported and logged."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from huggingface_hub import InferenceClient

from tests.fakes_model import build_model_folder
from tests.fakes_service import ROOT, Server, eventually, serving

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def server(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(folder, tmp_path_factory.mktemp("log") / "log.txt", workers=2) as started:
        eventually(lambda: len(started.workers()) == 2)
        yield started


@pytest.mark.parametrize("path", ["", "/predict"])
def test_the_hugging_face_client_works_unchanged(server: Server, path: str) -> None:
    client = InferenceClient(model=server.url + path)
    found = client.text_classification("the minister")
    assert found[0].label == "politics"
    assert sum(one.score for one in found) == pytest.approx(1)
    (best,) = InferenceClient(base_url=server.url + path).text_classification("врач", top_k=1, function_to_apply="none")
    assert (best.label, best.score) == ("health", 2.0)


def test_bentoml_has_no_route_of_its_own(server: Server) -> None:
    for path in ("/docs.json", "/schema.json", "/healthz", "/static_content/main.js"):
        assert httpx.get(server.url + path).json()["code"] == "not_found"


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_of_60_megabytes_is_refused_fast_and_not_held(server: Server, framing: str) -> None:
    body = b"0" * 60_000_000
    before = _settled_memory(server)
    for _ in range(4):
        content = body if framing == "length" else (body[at : at + 65536] for at in range(0, len(body), 65536))
        started = time.monotonic()
        response = httpx.post(f"{server.url}/predict", content=content, headers=JSON, timeout=30)
        assert time.monotonic() - started < 10
        assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
    assert _memory(server) - before < 30_000_000
    assert server.ready()


def test_a_client_that_leaves_in_the_middle_harms_nobody(server: Server) -> None:
    with pytest.raises(httpx.HTTPError):
        httpx.post(f"{server.url}/predict", content=_breaking_off(), headers=JSON, timeout=5)
    assert httpx.post(f"{server.url}/predict", json={"inputs": "vote"}).status_code == 200


def test_metrics_add_up_the_workers(server: Server) -> None:
    time.sleep(1.2)  # what the tests before this one asked is counted within a second
    before = _answered(server)
    for _ in range(12):  # new connections, so that both workers get some
        assert httpx.post(f"{server.url}/predict", json={"inputs": "vote"}).status_code == 200
    eventually(lambda: _answered(server) == before + 12, 5)


def test_texts_stay_out_of_the_log(server: Server) -> None:
    secret = "Unaussprechlich"
    httpx.post(f"{server.url}/predict", json={"inputs": secret})
    httpx.post(f"{server.url}/predict", json={"inputs": {secret: secret}})
    httpx.post(f"{server.url}/probe", json={"texts": [secret]}, timeout=30)
    httpx.get(f"{server.url}/{secret}?text={secret}")
    eventually(lambda: server.log.read_text().count("/probe 200") >= 1)
    assert secret not in server.log.read_text()


def test_a_killed_worker_is_replaced_and_requests_are_answered(server: Server) -> None:
    killed = server.workers()[0]
    os.kill(killed, signal.SIGKILL)
    answered = eventually(lambda: _predicts(server), 10)
    assert answered < 10
    eventually(lambda: len(server.workers()) == 2 and killed not in server.workers(), 20)


def test_a_lone_killed_worker_is_back_soon_and_no_connection_is_lost(folder: Path, tmp_path: Path) -> None:
    with serving(folder, tmp_path / "log.txt", workers=1) as server:
        os.kill(server.workers()[0], signal.SIGKILL)
        started = time.monotonic()
        # the supervisor holds the socket: this connection waits for the new worker
        assert httpx.post(f"{server.url}/predict", json={"inputs": "vote"}, timeout=60).status_code == 200
        assert time.monotonic() - started < 40


def test_sigterm_lets_requests_end_then_refuses_and_exits(folder: Path, tmp_path: Path) -> None:
    with serving(folder, tmp_path / "log.txt", workers=1) as server:
        answers: list[httpx.Response] = []
        steps = [{"name": "n", "perturbations": ["swap", "drop", "repeat"], "strength": 0.5, "draws": 50}]
        texts = ["The minister won the election with every vote " * 20] * 200
        body = {"texts": texts, "languages": ["en"] * 200, "steps": steps, "deadline_ms": 3000}
        asking = threading.Thread(
            target=lambda: answers.append(httpx.post(f"{server.url}/probe", json=body, timeout=60))
        )
        asking.start()
        eventually(lambda: "requests_in_progress 2.0" in httpx.get(f"{server.url}/metrics").text)
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: _refuses(server), 10)
        asking.join(60)
        assert [answer.status_code for answer in answers] == [200]
        assert server.process.wait(30) == 0


def test_no_worker_outlives_its_supervisor(folder: Path, tmp_path: Path) -> None:
    with serving(folder, tmp_path / "log.txt", workers=1) as server:
        workers = server.workers()
        server.process.kill()
        server.process.wait()
        eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), 20)


def test_a_broken_model_stops_the_start_and_is_named(folder: Path, tmp_path: Path) -> None:
    broken = build_model_folder(tmp_path / "broken")
    graph = broken / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:-1] + b"\0")
    ended = _start("--model", str(broken))
    assert (ended.returncode, "model.onnx" in ended.stderr, "Traceback" in ended.stderr) == (2, True, False)
    assert "manifest.json" in _start("--model", str(tmp_path / "nowhere")).stderr


def test_a_port_in_use_is_told(server: Server, folder: Path) -> None:
    ended = _start("--model", str(folder), "--port", server.url.rpartition(":")[2])
    assert (ended.returncode, "cannot listen" in ended.stderr) == (2, True)


def test_workers_that_cannot_stay_up_end_the_service(folder: Path, tmp_path: Path) -> None:
    # a fault that only workers meet: the supervisor itself reads no BentoML configuration
    environment = {**os.environ, "BENTOML_CONFIG": str(tmp_path / "missing.yaml")}
    command = [sys.executable, "-m", "service", "--model", str(folder), "--port", "0", "--workers", "1"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert (ended.returncode, "workers in a row ended" in ended.stderr) == (2, True)


def test_what_serving_imports_holds_no_torch() -> None:
    script = (
        "import sys, service.__main__, service.app, service.interface\n"
        "heavy = {'torch', 'transformers', 'optimum', 'training', 'nlpaug', 'datasets', 'pandas'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_running_workers_hold_no_torch(server: Server) -> None:
    body = {"texts": ["the minister"]}
    assert httpx.post(f"{server.url}/probe", json=body, timeout=30).status_code == 200
    for pid in server.workers():
        assert "libtorch" not in Path(f"/proc/{pid}/maps").read_text()


def _start(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "service", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def _memory(server: Server) -> int:
    """Bytes the workers have held at most."""
    peaks = [Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0] for pid in server.workers()]
    return 1024 * max(int(peak) for peak in peaks)


def _settled_memory(server: Server) -> int:
    """The same, once the workers have loaded what they load in the background."""
    seen = [_memory(server)]
    while len(seen) < 60 and len(set(seen[-6:])) + (len(seen) < 6) > 1:
        time.sleep(0.5)
        seen.append(_memory(server))
    return seen[-1]


def _answered(server: Server) -> float:
    lines = httpx.get(f"{server.url}/metrics").text.splitlines()
    found = [line for line in lines if line.startswith("babelproof_requests_total") and 'route="/predict"' in line]
    return sum(float(line.split()[-1]) for line in found if 'status="200"' in line)


def _predicts(server: Server) -> bool:
    try:
        return httpx.post(f"{server.url}/predict", json={"inputs": "vote"}, timeout=10).status_code == 200
    except httpx.HTTPError:
        return False


def _refuses(server: Server) -> bool:
    try:
        httpx.get(f"{server.url}/livez", timeout=5)
    except httpx.ConnectError:
        return True
    except httpx.HTTPError:
        pass
    return False


def _breaking_off() -> Iterator[bytes]:
    yield b'{"inputs": "'
    raise httpx.WriteError("the line was cut")
