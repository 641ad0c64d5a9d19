"""Durable jobs over HTTP: submitted once, watched, finished with the report of an undisturbed run, ended, forgotten."""

from __future__ import annotations

import asyncio
import gzip
import json
import sqlite3
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from probes.types import Item
from runtime.classifier import OnnxClassifier, Prediction
from service.probing.database import FILE
from tests.fakes_interface import refused
from tests.fakes_jobs import BODY, Slow, jobs_of, submitted, undisturbed, until

SMALL = {"texts": ["the minister won"], "languages": ["en"], "battery": "quick"}


@pytest.fixture
async def http(served: OnnxClassifier, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with jobs_of(served, tmp_path) as opened:
        yield opened


async def test_a_job_ends_with_the_report_of_a_run_without_jobs(
    http: httpx.AsyncClient, served: OnnxClassifier
) -> None:
    submitted = await http.post("/batteries", json=BODY)
    job = submitted.json()
    assert submitted.status_code == 202 and submitted.headers["Location"] == f"/batteries/{job['id']}"
    assert (job["state"], job["texts"], job["model"], job["battery"]) == ("queued", 80, "keywords", "quick")
    done = await until(http, job["id"], "done", "failed")
    assert done["state"] == "done" and done["progress"]["done"] == done["progress"]["wanted"] > 0
    assert done["lease"] is None and done["error"] is None and done["taken"] == 1
    found = await http.get(f"/batteries/{job['id']}/result")
    assert found.text == undisturbed(served, BODY).to_json()
    assert done["sha256"] in found.headers["ETag"]


async def test_a_report_is_had_in_several_forms_packed_or_not(http: httpx.AsyncClient) -> None:
    name = await submitted(http, SMALL)
    await until(http, name, "done")
    for form, kind, holds in (
        ("json", "application/json", "babelproof-report/1"),
        ("html", "text/html", "<!doctype html"),
        ("md", "text/markdown", "# "),
        ("csv", "text/csv", "lang,step"),
    ):
        plain = await http.get(f"/batteries/{name}/result?format={form}", headers={"Accept-Encoding": "identity"})
        assert (plain.status_code, plain.headers["Content-Type"].split(";")[0]) == (200, kind)
        assert "Content-Encoding" not in plain.headers and holds in plain.text
        packed = await http.get(f"/batteries/{name}/result?format={form}")
        assert packed.headers["Content-Encoding"] == "gzip" and packed.text == plain.text
    assert "sandbox" in (await http.get(f"/batteries/{name}/result?format=html")).headers["Content-Security-Policy"]
    refused(await http.get(f"/batteries/{name}/result?format=pickle"), 422, "unknown_format", "html")


async def test_the_same_key_is_the_same_job_and_another_request_is_refused(http: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "monday"}
    answers = await asyncio.gather(*(http.post("/batteries", json=SMALL, headers=key) for _ in range(5)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 202]
    other = await http.post("/batteries", json=SMALL | {"battery": "noise"}, headers=key)
    refused(other, 409, "idempotency_conflict", "new key")
    refused(await http.post("/batteries", json=SMALL, headers={"Idempotency-Key": "a b"}), 422, "bad_idempotency_key")
    assert len((await http.get("/batteries")).json()["jobs"]) == 1


async def test_jobs_are_listed_latest_first_in_pages(http: httpx.AsyncClient) -> None:
    names = []
    for _ in range(5):
        names.append(await submitted(http, SMALL))
        await asyncio.sleep(0.002)
    seen, after = [], ""
    while after is not None:
        page = (await http.get(f"/batteries?limit=2{after and '&after=' + after}")).json()
        seen += [job["id"] for job in page["jobs"]]
        after = page["next"]
    assert seen == names[::-1]
    await until(http, names[0], "done")
    assert names[0] in [job["id"] for job in (await http.get("/batteries?state=done")).json()["jobs"]]
    assert (await http.get("/batteries?state=failed")).json() == {"jobs": [], "next": None}
    refused(await http.get("/batteries?state=lost"), 422, "unknown_state", "running")
    refused(await http.get("/batteries?limit=0"), 422, "bad_limit", "200")
    refused(await http.get("/batteries?after=../x"), 422, "bad_cursor")
    for name in ("none", "0", "%00", "0" * 50):
        refused(await http.get(f"/batteries/{name}"), 404, "unknown_job")
    refused(await http.delete("/batteries/none"), 404, "unknown_job")


async def test_a_cancelled_job_is_left_at_once_and_a_waiting_one_never_begun(
    served_folder: Path, tmp_path: Path
) -> None:
    model = Slow(served_folder)
    async with jobs_of(model, tmp_path) as http:
        first, second = await submitted(http), await submitted(http)
        await until(http, first, "running")
        while not model.runs:
            await asyncio.sleep(0.01)
        assert (await http.delete(f"/batteries/{second}")).json()["state"] == "cancelled"
        assert (await http.delete(f"/batteries/{first}")).json()["state"] == "cancelled"
        await asyncio.sleep(0.25)
        runs = model.runs
        await asyncio.sleep(0.3)
        assert model.runs == runs
        refused(await http.get(f"/batteries/{first}/result"), 409, "not_done", "cancelled")
        assert [job["state"] for job in (await http.get("/batteries")).json()["jobs"]] == ["cancelled"] * 2


async def test_a_deleted_job_leaves_no_text_behind(served: OnnxClassifier, tmp_path: Path) -> None:
    async with jobs_of(served, tmp_path) as http:
        name = await submitted(http, SMALL)
        await until(http, name, "done")
        assert (await http.delete(f"/batteries/{name}")).status_code == 204
        refused(await http.get(f"/batteries/{name}"), 404, "unknown_job")
        refused(await http.get(f"/batteries/{name}/result"), 404, "unknown_job")
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0, "for nobody else to read"
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        for table in ("jobs", "blocks", "results"):
            assert file.execute(f"SELECT COUNT(*) FROM babelproof_{table}").fetchone() == (0,)
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert not any((tmp_path / "running").iterdir())


async def test_only_so_many_ended_jobs_are_kept(served: OnnxClassifier, tmp_path: Path) -> None:
    async with jobs_of(served, tmp_path, jobs_kept=2) as http:
        names = []
        for _ in range(4):
            names.append(await submitted(http, SMALL))
            await until(http, names[-1], "done")
        last = await submitted(http, SMALL)
        found = [job["id"] for job in (await http.get("/batteries")).json()["jobs"]]
        assert found == [last, names[3], names[2]]


async def test_what_is_too_much_is_refused(served_folder: Path, tmp_path: Path) -> None:
    async with jobs_of(Slow(served_folder), tmp_path, max_jobs_waiting=1, max_job_calls=5000) as http:
        refused(await http.post("/batteries", json=SMALL | {"texts": ["a"] * 101}), 413, "too_many_texts", "100")
        refused(await http.post("/batteries", json=SMALL | {"deadline_ms": 5}), 422, "unknown_key", "deadline_ms")
        refused(await http.post("/batteries", json=SMALL | {"model": "none"}), 404, "unknown_model", "keywords")
        steps = [{"name": "a", "kind": "attack", "attack": "greedy", "perturbations": ["swap"], "budget": 2000}]
        large = {"texts": ["a b"] * 3, "steps": steps}
        refused(await http.post("/batteries", json=large), 413, "job_too_large", "6000", "5000")
        await submitted(http)
        full = await http.post("/batteries", json=SMALL)
        refused(full, 429, "too_many_jobs", "1 jobs")
        assert int(full.headers["Retry-After"]) > 0
    async with jobs_of(Slow(served_folder), tmp_path / "other", max_jobs_bytes=100) as http:
        refused(await http.post("/batteries", json=BODY), 429, "no_room_for_jobs", "delete some")


def told(text: str) -> list[tuple[str, int, dict]]:
    """Kind, number and data of every event."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            found.append((lines["event"], int(lines["id"]), json.loads(lines["data"])))
    return found


async def test_events_tell_how_far_a_job_is_and_go_on_where_they_broke_off(served_folder: Path, tmp_path: Path) -> None:
    async with jobs_of(Slow(served_folder), tmp_path) as http:
        name = await submitted(http)
        seen = told((await http.get(f"/batteries/{name}/events")).text)
        assert [kind for kind, _, _ in seen][-1] == "done" and {kind for kind, _, _ in seen[:-1]} == {"progress"}
        numbers = [number for _, number, _ in seen]
        assert numbers == sorted(set(numbers))
        done = [data["progress"]["done"] for _, _, data in seen]
        assert done == sorted(done) and len(set(done)) > 2
        last = await http.get(f"/batteries/{name}/events", headers={"Last-Event-ID": str(numbers[0])})
        assert [number for _, number, _ in told(last.text)] == [numbers[-1]]
        over = await http.get(f"/batteries/{name}/events", headers={"Last-Event-ID": str(numbers[-1])})
        assert over.status_code == 204


async def test_progress_moves_within_a_block_that_is_not_kept_yet(served_folder: Path, tmp_path: Path) -> None:
    class Slower(Slow):
        def predict(self, items: Sequence[Item], *, truncate: bool = True) -> Prediction:
            threading.Event().wait(0.15)
            return super().predict(items, truncate=truncate)

    steps = [{"name": "typos", "perturbations": ["swap"], "strength": 0.3, "draws": 50}]
    body = {"texts": ["the minister won " * 20] * 2 + ["a vote " * 50], "languages": ["en"] * 3, "steps": steps}
    async with jobs_of(Slower(served_folder), tmp_path) as http:
        seen = told((await http.get(f"/batteries/{await submitted(http, body)}/events")).text)
        done = [data["progress"]["done"] for _, _, data in seen]
        assert seen[-1][0] == "done" and done == sorted(done) and done[-1] == 150
        assert any(0 < n < 150 for n in done), "all three texts are one block"


async def test_a_locked_database_is_told_and_the_job_goes_on_after_it(served_folder: Path, tmp_path: Path) -> None:
    model = Slow(served_folder)
    async with jobs_of(model, tmp_path, lease_s=60) as http:
        name = await submitted(http)
        while not model.runs:
            await asyncio.sleep(0.01)
        with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            away = await http.post("/batteries", json=SMALL)
            refused(away, 503, "jobs_unavailable", "busy")
            assert int(away.headers["Retry-After"]) > 0
            assert (await http.get(f"/batteries/{name}")).json()["state"] == "running"
            other.execute("ROLLBACK")
        done = await until(http, name, "done", "failed")
        assert (done["state"], done["taken"]) == ("done", 1)
        assert (await http.get(f"/batteries/{name}/result")).text == undisturbed(model).to_json()


async def test_a_job_of_a_model_that_was_exchanged_is_not_mixed_up(served_folder: Path, tmp_path: Path) -> None:
    async with jobs_of(Slow(served_folder), tmp_path) as http:
        name = await submitted(http)
        while not (await http.get(f"/batteries/{name}")).json()["progress"]["done"]:
            await asyncio.sleep(0.02)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as file:
        assert file.execute("SELECT state FROM babelproof_jobs").fetchone() == ("queued",), "handed back at the end"
        file.execute('UPDATE babelproof_jobs SET facts = \'{"classifier": "of another digest"}\'')
    async with jobs_of(Slow(served_folder), tmp_path) as http:
        failed = await until(http, name, "done", "failed")
        assert (failed["state"], failed["error"]["code"]) == ("failed", "model_changed")
        assert "Submit it again" in failed["error"]["error"]


def test_reports_are_packed_without_a_clock(tmp_path: Path, served: OnnxClassifier) -> None:
    from service.probing.reports import KINDS, Packed

    report = undisturbed(served, SMALL)
    first, second = (tmp_path / name for name in "ab")
    for folder in (first, second):
        folder.mkdir()
        Packed.of(report, folder, lambda: None)
    for form in KINDS:
        assert (first / form).read_bytes() == (second / form).read_bytes()
    assert gzip.decompress((first / "json").read_bytes()).decode() == report.to_json()
