"""API keys: the file, the command, and who may do what over HTTP."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from runtime.classifier import OnnxClassifier
from service.keys.command import app
from service.keys.register import FollowedKeys, Key, KeysError, digest, new, read, write
from service.settings import Settings
from tests.fakes_interface import SETTINGS, client, interface, refused
from tests.fakes_service import ROOT, eventually

PREDICT = {"inputs": ["a vote", "a doctor"]}


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def kept(tmp_path: Path, **keys: Key) -> Settings:
    write(tmp_path / "keys.toml", keys)
    return replace(SETTINGS, keys=tmp_path / "keys.toml", state=tmp_path / "state")


def test_a_key_is_random_and_the_file_knows_its_digest_alone(tmp_path: Path) -> None:
    (secret, sha256), (other, _) = new(), new()
    assert secret != other and len(secret) >= 43
    write(tmp_path / "keys.toml", {"anna": Key(sha256=sha256)})
    assert secret not in (tmp_path / "keys.toml").read_text()
    keys = FollowedKeys(tmp_path / "keys.toml")
    assert keys.find(secret) == ("anna", Key(sha256=sha256))
    for wrong in (other, "", secret[:-1], secret + "a", sha256, "ü", "a" * 1_000_000):
        assert keys.find(wrong) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("keys = 3", "keys"),
        ("[keys.anna]\nroles = ['use']", "sha256"),
        ("[keys.anna]\nsha256 = 'secret'", "sha256"),
        (f"[keys.anna]\nsha256 = '{'0' * 64}'\nroles = []", "roles"),
        (f"[keys.anna]\nsha256 = '{'0' * 64}'\nroles = ['boss']", "roles"),
        (f"[keys.anna]\nsha256 = '{'0' * 64}'\ntexts_per_dya = 3", "texts_per_dya"),
        (f"[keys.anna]\nsha256 = '{'0' * 64}'\ntexts_per_day = 0", "texts_per_day"),
        (f"[keys.anna]\nsha256 = '{'0' * 64}'\ntexts_per_day = '5'", "texts_per_day"),
        (f"[keys.'an na']\nsha256 = '{'0' * 64}'", "an na"),
        (f"[keys.a]\nsha256 = '{'0' * 64}'\n[keys.b]\nsha256 = '{'0' * 64}'", "same sha256"),
        ("[keys", "declaration"),
        ("\udcff", "utf-8"),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(KeysError, match=f"keys.toml.*{said}"):
        read(path)


def test_the_file_is_followed_but_not_into_ruin(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, (first, first_digest), (second, second_digest) = tmp_path / "keys.toml", new(), new()
    write(path, {"a": Key(sha256=first_digest)})
    keys = FollowedKeys(path)
    write(path, {"b": Key(sha256=second_digest)})
    eventually(lambda: keys.find(second), 5)
    assert keys.find(first) is None
    path.write_text("[keys")
    eventually(lambda: keys.find(second) and "stay as they were" in caplog.text, 5)
    path.unlink()
    assert keys.find(second)


async def test_without_a_key_only_health_and_the_page_answer(served: OnnxClassifier, tmp_path: Path) -> None:
    async with client(served, kept(tmp_path, anna=Key(sha256=digest("right")))) as http:
        for path in ("/livez", "/readyz", "/health", "/", "/openapi.json", "/demo.json"):
            assert (await http.get(path)).status_code == 200, path
        for path in ("/about", "/metrics", "/live"):
            response = await http.get(path)
            refused(response, 401, "unauthorized", "X-API-Key")
            assert response.headers["WWW-Authenticate"] == "Bearer"
        refused(await http.post("/predict", json=PREDICT), 401, "unauthorized")
        refused(await http.post("/predict", json=PREDICT, headers=bearer("wrong")), 401, "unauthorized")
        # before the body is read, so nobody without a key has the service parse anything
        refused(await http.post("/predict", content=b"{"), 401, "unauthorized")


@pytest.mark.parametrize("headers", [bearer("right"), {"Authorization": "bearer  right "}, {"X-API-Key": "right"}])
async def test_a_key_is_taken_in_both_headers(served: OnnxClassifier, tmp_path: Path, headers: dict[str, str]) -> None:
    async with client(served, kept(tmp_path, anna=Key(sha256=digest("right")))) as http:
        assert (await http.post("/predict", json=PREDICT, headers=headers)).status_code == 200
        assert (await http.get("/about", headers=headers)).status_code == 200


async def test_roles_open_what_they_say(served: OnnxClassifier, tmp_path: Path) -> None:
    secrets = {"use": "u", "metrics": "m", "admin": "a"}
    keys = {role: Key(sha256=digest(secret), roles=(role,)) for role, secret in secrets.items()}  # type: ignore[arg-type]
    async with client(served, kept(tmp_path, **keys)) as http:
        refused(await http.get("/metrics", headers=bearer("u")), 403, "forbidden", "metrics")
        refused(await http.post("/predict", json=PREDICT, headers=bearer("m")), 403, "forbidden", "use")
        assert (await http.get("/metrics", headers=bearer("m"))).status_code == 200
        for path in ("/metrics", "/about"):
            assert (await http.get(path, headers=bearer("a"))).status_code == 200


async def test_metrics_may_be_left_open(served: OnnxClassifier, tmp_path: Path) -> None:
    settings = replace(kept(tmp_path, anna=Key(sha256=digest("right"))), metrics_open=True)
    async with client(served, settings) as http:
        assert (await http.get("/metrics")).status_code == 200


async def test_a_key_has_its_rate_and_its_quota(served: OnnxClassifier, tmp_path: Path) -> None:
    few = Key(sha256=digest("few"), requests_per_minute=2)
    short = Key(sha256=digest("short"), texts_per_day=3)
    async with client(served, kept(tmp_path, few=few, short=short)) as http:
        codes = [(await http.get("/about", headers=bearer("few"))).status_code for _ in range(3)]
        assert codes == [200, 200, 429]
        third = await http.post("/predict", json=PREDICT, headers=bearer("few"))
        refused(third, 429, "rate_limited")
        assert 1 <= int(third.headers["Retry-After"]) <= 30
        assert (await http.post("/predict", json=PREDICT, headers=bearer("short"))).status_code == 200
        refused(await http.post("/predict", json=PREDICT, headers=bearer("short")), 429, "quota_used")
        one = await http.post("/predict", json={"inputs": "a vote"}, headers=bearer("short"))
        assert one.status_code == 200


async def test_every_route_that_takes_texts_counts_them(served: OnnxClassifier, tmp_path: Path) -> None:
    key = Key(sha256=digest("spent"), roles=("admin",), texts_per_day=1)
    async with client(served, kept(tmp_path, spent=key)) as http:
        assert (await http.post("/predict", json={"inputs": "a"}, headers=bearer("spent"))).status_code == 200
        paths = (await http.get("/openapi.json")).json()["paths"]
        version = (await http.get("/v2/models/keywords", headers=bearer("spent"))).json()["versions"][0]
        asked = 0
        for path, ways in paths.items():
            content = ways.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
            if "example" not in content or path == "/v2/repository/index":
                continue
            asked += 1
            address = path.replace("{name}", "keywords").replace("{version}", version)
            response = await http.post(address, json=content["example"], headers=bearer("spent"))
            assert (response.status_code, response.json()["code"]) == (429, "quota_used"), path
        assert asked >= 6


async def test_a_job_that_is_sent_again_is_counted_once(served: OnnxClassifier, tmp_path: Path) -> None:
    async with client(served, kept(tmp_path, few=Key(sha256=digest("few"), roles=("jobs",), texts_per_day=4))) as http:
        headers = bearer("few") | {"Idempotency-Key": "once"}
        body = {"texts": ["a vote", "a doctor"], "battery": "quick"}
        answers = [await http.post("/batteries", json=body, headers=headers) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [202, 200, 200, 200]
        refused(
            await http.post("/batteries", json=body | {"texts": ["a"] * 3}, headers=bearer("few")), 429, "quota_used"
        )


async def test_what_is_refused_for_want_of_room_or_for_its_size_is_given_back(
    served: OnnxClassifier, tmp_path: Path
) -> None:
    key = Key(sha256=digest("few"), roles=("use", "jobs"), texts_per_day=300, max_jobs=1)
    full = replace(kept(tmp_path, few=key), predict_queue=1, certify_queue=0, probe_queue=0)
    texts = ["a vote", "a doctor"]
    tensor = {"name": "text", "shape": [2], "datatype": "BYTES", "data": texts}
    async with client(served, full) as http:
        events = {"Accept": "text/event-stream"}
        for path, body, headers, status, code in [
            ("/predict", {"inputs": texts}, {}, 413, "request_too_large"),
            ("/predict?robustness=3&lang=en", {"inputs": "a vote"}, {}, 413, "request_too_large"),
            ("/v2/models/keywords/infer", {"inputs": [tensor]}, {}, 413, "request_too_large"),
            ("/probe", {"texts": texts}, {}, 429, "overloaded"),
            ("/probe", {"texts": texts}, events, 429, "overloaded"),
            ("/certify", {"texts": ["a vote"], "n": 200}, {}, 429, "overloaded"),
            ("/certify", {"texts": ["a vote"], "n": 200}, {}, 429, "overloaded"),  # 300 copies: nothing was kept before
        ]:
            refused(await http.post(path, json=body, headers=bearer("few") | headers), status, code)
        jobs = [await http.post("/batteries", json={"texts": ["a"] * n}, headers=bearer("few")) for n in (1, 299, 299)]
        assert [job.json().get("code") for job in jobs] == [None, "too_many_jobs", "too_many_jobs"]


def test_the_command_makes_lists_and_revokes(tmp_path: Path) -> None:
    path = str(tmp_path / "keys.toml")
    made = CliRunner().invoke(app, ["new", "anna", "--role", "jobs", "--texts-per-day", "9", "--file", path])
    secret = next(word for word in made.output.split() if word.startswith("bp_"))
    name, key = FollowedKeys(Path(path)).find(secret) or ("", None)
    assert key is not None
    assert (name, key.roles, key.texts_per_day) == ("anna", ("jobs",), 9)
    listed = CliRunner().invoke(app, ["list", "--file", path], env={"COLUMNS": "200"}).output
    assert "anna" in listed and secret not in listed and key.sha256 not in listed
    assert CliRunner().invoke(app, ["revoke", "anna", "--file", path]).exit_code == 0
    assert read(Path(path)) == {}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["new", "an na"], "an na"),
        (["new", "anna", "--role", "boss"], "roles"),
        (["new", "old"], "revoke it first"),
        (["revoke", "nobody"], "no key called nobody"),
    ],
)
def test_the_command_refuses_and_leaves_the_file_alone(tmp_path: Path, arguments: list[str], said: str) -> None:
    path = tmp_path / "keys.toml"
    write(path, {"old": Key(sha256=digest("x"))})
    before = path.read_bytes()
    ended = CliRunner().invoke(app, [*arguments, "--file", str(path)])
    assert (ended.exit_code, said in ended.output, path.read_bytes()) == (2, True, before)


def test_babelproof_keys_is_that_command(tmp_path: Path) -> None:
    environment = {**os.environ, "BABELPROOF_KEYS": str(tmp_path / "mine.toml")}
    command = [sys.executable, "-m", "runtime.cli", "keys", "new", "anna", "--max-jobs", "2"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert re.fullmatch(r"bp_[\w-]{43}\n", ended.stdout)
    assert read(tmp_path / "mine.toml")["anna"].max_jobs == 2


def test_every_route_says_who_may_and_only_harmless_ones_are_open(served: OnnxClassifier) -> None:
    table = interface(served).routing.table
    unasked = {(path, method) for path, ways in table.items() for method, way in ways.items() if way.needs == "nothing"}
    assert all(method == "GET" for _, method in unasked)
    page, health = {"/", "/demo.json", "/languages.json", "/openapi.json"}, {"/livez", "/readyz", "/health"}
    open_to_all = page | health | {"/v2/health/live", "/v2/health/ready"}
    assert {path for path, _ in unasked if not path.startswith("/static/")} <= open_to_all
