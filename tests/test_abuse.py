"""Abuse of requests, replayed against a real server: every class of hole BentoML had."""

from __future__ import annotations

import ast
import json
import os
import pickle
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes_service import ROOT, Server

JSON = {"Content-Type": "application/json"}


class Bomb:
    """What a pickle of this does to whoever opens it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


# CVE-2024-2912, CVE-2025-27520: a pickle in a request's body; CVE-2024-9070, CVE-2025-32375: one for the runner server
@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/vnd.bentoml+pickle"},
        {"Content-Type": "application/octet-stream"},
        {"Content-Type": "application/x-pickle"},
        {"Content-Type": "application/vnd.bentoml.multiple_outputs"},
        {"Content-Type": "application/vnd.bentoml+pickle", "Payload-Container": "DefaultContainer", "Args-Number": "1"},
        {"Content-Type": "application/octet-stream", "Payload-Container": "NdarrayContainer", "Payload-Meta": "{}"},
        {},
    ],
)
def test_no_pickle_is_opened(abused: Server, posts: list[str], tmp_path: Path, headers: dict[str, str]) -> None:
    body = pickle.dumps(Bomb(tmp_path / "done"))
    for path in (*posts, "/infer", "/predict_async", "/run", "/is_ready"):
        response = httpx.post(abused.url + path, content=body, headers=headers)
        # clients of the Open Inference Protocol say nothing of what they send; it is read as JSON then
        unsaid = not headers and path.startswith("/v2/")
        assert response.status_code in (404, 405, 415) or (unsaid and response.status_code == 400)
    assert not (tmp_path / "done").exists()
    # sent as JSON it is just no JSON
    assert httpx.post(f"{abused.url}/predict", content=body, headers=JSON).json()["code"] == "not_utf8"


# the same classes, in the code: nothing that is served can open one
def test_nothing_served_can_unpickle_or_run_text() -> None:
    modules = {"pickle", "cloudpickle", "dill", "marshal", "shelve", "joblib", "subprocess"}
    found = set()
    for path in sorted([*ROOT.glob("service/**/*.py"), *ROOT.glob("runtime/*.py"), *ROOT.glob("runtime/*/*.py")]):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
                found |= {(path.name, name.split(".")[0]) for name in names if name.split(".")[0] in modules}
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec"):
                found.add((path.name, node.func.id))
    # the supervisor starts workers and a worker its prober: programs that are named in the code, with no shell
    assert found <= {("supervisor.py", "subprocess"), ("keeper.py", "subprocess")}


# CVE-2025-32375, and residual (3): no second server, no runner's port
def test_one_port_is_open_and_no_other(abused: Server) -> None:
    children = [abused.process.pid, *abused.workers()]
    for pid in list(children):
        children += [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    inodes = set()
    for pid in children:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            target = os.readlink(link) if link.is_symlink() else ""
            inodes |= set(re.findall(r"socket:\[(\d+)\]", target))
    listening = set()
    for table in ("tcp", "tcp6"):
        rows = [line.split() for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
        listening |= {int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and row[9] in inodes}
    assert listening == {int(abused.url.rpartition(":")[2])}


# CVE-2024-9056: a boundary of a multipart body that takes for ever; #5533: an upload named after another folder
def test_no_multipart_is_read(abused: Server, posts: list[str]) -> None:
    boundary = "-" * 1_000
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="f"; filename="../../../tmp/x"\r\n\r\n'
    body = part.encode() + b"-" * 1_000_000
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    for path in posts:
        assert httpx.post(abused.url + path, content=body, headers=headers).json()["code"] == "not_json", path


# residual (2): what a foreign page may send without asking first
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "image/png"]
)
def test_simple_requests_of_foreign_pages_are_refused(abused: Server, posts: list[str], kind: str) -> None:
    for path in posts:
        body = b'{"inputs": "a", "texts": ["a"]}'
        response = httpx.post(abused.url + path, content=body, headers={"Content-Type": kind, "Origin": "https://evil"})
        assert (response.status_code, response.json()["code"]) == (403, "foreign_origin"), path
        own = httpx.post(abused.url + path, content=body, headers={"Content-Type": kind})
        assert own.status_code == 415, path
        assert not any(name.startswith("access-control") for name in response.headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9", "Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.test", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_no_foreign_page_changes_anything_even_without_a_body(abused: Server, headers: dict[str, str]) -> None:
    for path in ("/models/keywords/rollback", "/models/keywords/promote", "/predict"):
        assert httpx.post(abused.url + path, headers=headers).json()["code"] == "foreign_origin"
    assert httpx.delete(f"{abused.url}/batteries/x", headers=headers).json()["code"] == "foreign_origin"


def test_its_own_page_may(abused: Server) -> None:
    for site in ({}, {"Sec-Fetch-Site": "same-origin"}):
        response = httpx.post(f"{abused.url}/predict", json={"inputs": "a"}, headers={"Origin": abused.url, **site})
        assert response.status_code == 200


@contextmanager
def listener() -> Iterator[tuple[str, list[str]]]:
    """An address on this machine, and who called there."""
    called: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as opened:
        opened.settimeout(0.2)
        running = True

        def listen() -> None:
            while running:
                try:
                    connection, peer = opened.accept()
                except TimeoutError:
                    continue
                called.append(str(peer))
                connection.close()

        thread = threading.Thread(target=listen)
        thread.start()
        yield f"http://127.0.0.1:{opened.getsockname()[1]}/x", called
        time.sleep(0.5)
        running = False
        thread.join()


# CVE-2025-54381: an address in a field, fetched by the server
def test_no_address_in_any_field_is_fetched(abused: Server) -> None:
    with listener() as (url, called):
        step = {"name": url, "perturbations": [url]}
        tensor = {"name": url, "shape": [1], "datatype": "BYTES", "data": [url]}
        bodies: list[tuple[str, Any]] = [
            ("/predict", {"inputs": url}),
            ("/predict", {"inputs": [{"text": url, "text_pair": url}]}),
            ("/predict", {"inputs": {"text": url, "image": url}}),
            ("/detect", {"texts": [url]}),
            ("/probe", {"texts": [url], "battery": url}),
            ("/probe", {"texts": [url], "steps": [step]}),
            ("/probe", {"texts": [url], "steps": [step | {"perturbations": ["swap"], "similarity": url}]}),
            ("/batteries", {"texts": [url], "battery": url, "callback": url}),
            ("/batteries", {"texts": [url], "battery": "quick", "model": url}),
            ("/v2/models/keywords/infer", {"inputs": [tensor, tensor | {"name": "text"}]}),
        ]
        for path, body in bodies:
            assert httpx.post(abused.url + path, json=body, timeout=30).status_code < 500, path
        headers = {name: url for name in ("Referer", "Origin", "X-Forwarded-Host", "Destination", "X-Original-URL")}
        httpx.get(f"{abused.url}/livez?url={url}&callback={url}", headers=headers)
    assert called == []


# a battery that names code or a file: their.module:thing, a path
@pytest.mark.parametrize("name", ["os:system", "../../etc/passwd", "/etc/passwd", "nlpaug:a.b", "file:///etc/passwd"])
def test_no_name_in_a_request_imports_or_opens_anything(abused: Server, name: str) -> None:
    for body in (
        {"texts": ["a vote"], "battery": name},
        {"texts": ["a vote"], "battery": f"{name}.toml"},
        {"texts": ["a vote"], "steps": [{"name": "n", "perturbations": [name]}]},
        {"texts": ["a vote"], "steps": [{"name": "n", "kind": "attack", "attack": name, "perturbations": ["swap"]}]},
    ):
        for path in ("/probe", "/batteries"):
            response = httpx.post(abused.url + path, json=body)
            assert response.status_code == 422, (path, body)
            assert "root:" not in response.text


# CVE-2026-24123 and its kind: a path in the place of a name
@pytest.mark.parametrize(
    "path",
    [
        "/static/../settings.py",
        "/static/%2e%2e/settings.py",
        "/static/..%2fsettings.py",
        "/static/%2fetc%2fpasswd",
        "/static//etc/passwd",
        "/models/..%2f..%2fetc/predict",
        "/models/%00/predict",
        "/models/keywords%2f..%2f../rollback",
        "/batteries/..%2f..%2fetc%2fpasswd",
        "/batteries/' OR 1=1 --",
        "/batteries/../live.sqlite",
        "/batteries/x/result?format=../../../etc/passwd",
        "/v2/models/..%2f..%2fetc/infer",
        "/.git/config",
        "/state/jobs.sqlite",
        "/" + "a/" * 2_000,
    ],
)
def test_no_path_leads_out(abused: Server, path: str) -> None:
    with socket.create_connection(("127.0.0.1", int(abused.url.rpartition(":")[2]))) as raw:  # httpx would tidy it up
        raw.sendall(f"GET {path.replace(' ', '%20')} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    status = int(answer.split()[1])
    assert status in (404, 405, 422), answer[:200]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"]
