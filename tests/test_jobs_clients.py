"""What clients of jobs may meet: a cancel that comes late, HEAD, a process that leaves, a report that is cut short."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from runtime.classifier import OnnxClassifier
from service.http.streaming import takes_gzip
from service.probing.database import FILE, Database
from tests.fakes_interface import interface, refused
from tests.fakes_jobs import Slow, jobs_of, settings_of, submitted, until
from tests.fakes_server import listening

SMALL = {"texts": ["the minister won"], "languages": ["en"], "battery": "quick"}


async def test_a_cancel_that_comes_too_late_deletes_nothing(served: OnnxClassifier, tmp_path: Path) -> None:
    async with jobs_of(served, tmp_path) as http:
        name = await submitted(http, SMALL)
        await until(http, name, "done")
        refused(await http.delete(f"/batteries/{name}?only=cancel"), 409, "wrong_state", "done", "cancel")
        assert (await http.get(f"/batteries/{name}/result")).status_code == 200
        refused(await http.delete(f"/batteries/{name}?only=keep"), 422, "unknown_end", "cancel or delete")
        refused(await http.delete("/batteries/none?only=cancel"), 404, "unknown_job")
        assert (await http.delete(f"/batteries/{name}?only=delete")).status_code == 204


async def test_a_cancel_may_be_said_twice_and_a_delete_cancels_nothing(served_folder: Path, tmp_path: Path) -> None:
    async with jobs_of(Slow(served_folder), tmp_path) as http:
        name = await submitted(http)
        refused(await http.delete(f"/batteries/{name}?only=delete"), 409, "wrong_state", "delete")
        for _ in range(2):
            assert (await http.delete(f"/batteries/{name}?only=cancel")).json()["state"] == "cancelled"


async def test_head_of_a_stream_is_its_head(served_folder: Path, tmp_path: Path) -> None:
    async with jobs_of(Slow(served_folder), tmp_path, max_streams=1) as http:
        name = await submitted(http)
        for _ in range(2):  # none keeps the place of a stream
            answer = await http.head(f"/batteries/{name}/events")
            assert (answer.status_code, answer.content) == (200, b"")
            assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert (await http.get(f"/batteries/{name}")).json()["state"] in ("queued", "running")
        assert (await http.post("/livez")).headers["Allow"] == "GET, HEAD"


async def test_never_more_streams_than_there_may_be(served_folder: Path, tmp_path: Path) -> None:
    async with jobs_of(Slow(served_folder), tmp_path, max_streams=2) as http:
        name = await submitted(http)
        answers = await asyncio.gather(*(http.get(f"/batteries/{name}/events") for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429, 429]
        assert (await http.get(f"/batteries/{name}/events")).status_code == 200, "those that ended made room"


async def test_a_process_that_leaves_ends_its_streams(served_folder: Path, tmp_path: Path) -> None:
    async with jobs_of(Slow(served_folder), tmp_path) as http:
        name = await submitted(http)
        stream = asyncio.create_task(http.get(f"/batteries/{name}/events"))
        await until(http, name, "running")
        http.interface.leave()
        assert "event: done" not in (await stream).text
        assert (await http.get(f"/batteries/{name}")).json()["state"] == "running", "it goes on elsewhere"


async def test_a_report_that_goes_while_it_is_sent_breaks_the_connection(
    served: OnnxClassifier, tmp_path: Path
) -> None:
    with listening(interface(served, settings_of(tmp_path))) as address:
        async with httpx.AsyncClient(base_url=address) as http:
            name = await submitted(http, SMALL)
            await until(http, name, "done")
            with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as file:  # the part between is gone
                file.execute("INSERT INTO babelproof_results SELECT job, form, 2, body FROM babelproof_results")
            for coding in ("gzip", "identity"):
                with pytest.raises(httpx.RemoteProtocolError):
                    await http.get(f"/batteries/{name}/result", headers={"Accept-Encoding": coding})


async def test_packed_and_plain_are_told_apart(served: OnnxClassifier, tmp_path: Path) -> None:
    async with jobs_of(served, tmp_path) as http:
        name = await submitted(http, SMALL)
        await until(http, name, "done")
        found = [
            await http.get(f"/batteries/{name}/result", headers={"Accept-Encoding": coding})
            for coding in ("gzip", "gzip;q=0, br", "identity")
        ]
        assert ["Content-Encoding" in one.headers for one in found] == [True, False, False]
        packed, plain, other = (one.headers["ETag"] for one in found)
        assert packed != plain == other and found[0].text == found[1].text


@pytest.mark.parametrize(
    ("accepted", "wanted"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.1", True),
        ("*", True),
        ("*;q=0, gzip", True),
        ("", False),
        ("br", False),
        ("gzip; q=0.0", False),
        ("*, gzip;q=0", False),
        ("not-gzip", False),
    ],
)
def test_whether_gzip_is_wanted(accepted: str, wanted: bool) -> None:
    assert takes_gzip(accepted) is wanted


async def test_the_texts_of_a_job_are_checked_beside_the_loop(served_folder: Path, tmp_path: Path) -> None:
    threads: list[threading.Thread] = []

    class Labels(tuple[str, ...]):
        def __contains__(self, label: object) -> bool:
            threads.append(threading.current_thread())
            return super().__contains__(label)

    model = OnnxClassifier(served_folder, threads=1)
    model.labels = Labels(model.labels)
    async with jobs_of(model, tmp_path) as http:
        await submitted(http, SMALL | {"labels": ["politics"]})
    assert threads and threading.current_thread() not in threads


async def test_a_database_of_another_version_is_told(
    served: OnnxClassifier, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Database("", tmp_path)) as database, database.writing() as connection:
        connection.exec_driver_sql("UPDATE babelproof_schema SET version = 7")
    async with jobs_of(served, tmp_path) as http:
        answer = await http.get("/batteries")
        refused(answer, 503, "jobs_unavailable", "log")
    assert str(tmp_path) not in answer.text and "has version 7" in caplog.text
