"""Jobs in a real PostgreSQL: the same reports, two hosts at one job, the server stopped and started under them."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from runtime.classifier import OnnxClassifier
from service.http.errors import Refusal
from service.probing.database import Database, DatabaseError
from service.probing.store import Store
from tests.fakes_interface import refused
from tests.fakes_jobs import BODY, Slow, jobs_of, settings_of, submission, submitted, undisturbed, until

BINARIES = next((path for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)
USER = "postgres"
pytestmark = pytest.mark.skipif(BINARIES is None, reason="no PostgreSQL: apt-get install postgresql")


class Postgres:
    """A server of its own in a temporary folder, on a free port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = str(folder / "data")
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.url = f"postgresql://{USER}@127.0.0.1:{self.port}/postgres"
        self._run("initdb", "-D", self.data, "-U", USER, "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8")

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -c fsync=off"
        self._run(
            "pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", str(self.folder / "log"), "-o", options, "start"
        )

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")

    def _run(self, name: str, *arguments: str) -> None:
        assert BINARIES is not None
        # the server refuses to run as root
        other = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if os.getuid() == 0 else []
        command = [*other, str(BINARIES / name), *arguments]
        ended = subprocess.run(
            command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, check=False
        )
        assert ended.returncode == 0, (name, arguments)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    folder = Path(tempfile.mkdtemp(prefix="babelproof-postgres-"))
    if os.getuid() == 0:
        shutil.chown(folder, USER, USER)
    server = Postgres(folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


async def test_two_hosts_share_their_jobs_and_find_the_same(
    postgres: Postgres, served: OnnxClassifier, tmp_path: Path
) -> None:
    one = jobs_of(served, tmp_path / "one", jobs_url=postgres.url)
    other = jobs_of(served, tmp_path / "other", jobs_url=postgres.url)
    async with one as here, other as there:
        key = {"Idempotency-Key": "tuesday"}
        answers = await asyncio.gather(*(http.post("/batteries", json=BODY, headers=key) for http in (here, there) * 3))
        assert len({answer.json()["id"] for answer in answers}) == 1
        names = [answers[0].json()["id"], *[await submitted(http) for http in (here, there)]]
        for name in names:
            done = await until(there, name, "done", "failed")
            assert (done["state"], done["taken"]) == ("done", 1)
            assert (await here.get(f"/batteries/{name}/result")).text == undisturbed(served).to_json()
        page = (await there.get("/batteries?limit=2")).json()
        assert [job["id"] for job in page["jobs"]] == names[:0:-1] and page["next"] == names[1]
        assert (await there.delete(f"/batteries/{names[0]}")).status_code == 204
        refused(await here.get(f"/batteries/{names[0]}"), 404, "unknown_job")


async def test_a_server_that_goes_and_comes_back_is_waited_for(
    postgres: Postgres, served_folder: Path, tmp_path: Path
) -> None:
    model = Slow(served_folder)
    async with jobs_of(model, tmp_path, jobs_url=postgres.url, lease_s=60) as http:
        name = await submitted(http)
        while not (await http.get(f"/batteries/{name}")).json()["progress"]["done"]:
            await asyncio.sleep(0.02)
        await asyncio.to_thread(postgres.stop)
        away: httpx.Response = await http.post("/batteries", json=BODY)
        refused(away, 503, "jobs_unavailable", "cannot be used now")
        assert int(away.headers["Retry-After"]) > 0 and USER not in away.text
        await asyncio.to_thread(postgres.start)
        done = await until(http, name, "done", "failed")
        assert (done["state"], done["taken"]) == ("done", 1)
        assert (await http.get(f"/batteries/{name}/result")).text == undisturbed(model).to_json()


async def test_two_hosts_admit_no_more_jobs_than_may_wait(postgres: Postgres, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, max_jobs_waiting=3)
    databases = [Database(postgres.url, tmp_path) for _ in range(4)]
    with databases[0].writing() as connection:
        connection.exec_driver_sql("DELETE FROM babelproof_jobs")

    def submit(database: Database) -> bool:
        try:
            return Store(database, settings).submit(submission())[1]
        except Refusal:
            return False

    new = await asyncio.gather(*(asyncio.to_thread(submit, database) for database in databases * 4))
    assert sum(new) == 3
    with databases[0].writing() as connection:
        connection.exec_driver_sql("DELETE FROM babelproof_jobs")
    for database in databases:
        database.close()


def test_a_newer_database_is_refused_by_name(postgres: Postgres, tmp_path: Path) -> None:
    for address in ("", postgres.url):
        driven = address.replace("postgresql", "postgresql+psycopg") or f"sqlite:///{tmp_path}/jobs.sqlite"
        first, second, engine = Database(address, tmp_path), Database(address, tmp_path), create_engine(driven)
        with first.reading():
            pass
        with engine.begin() as connection:
            connection.execute(text("UPDATE babelproof_schema SET version = 7"))
        with pytest.raises(DatabaseError, match="has version 7; this service knows version 1"), second.reading():
            pass
        with engine.begin() as connection:
            connection.execute(text("UPDATE babelproof_schema SET version = 1"))
        for opened in (first.close, second.close, engine.dispose):
            opened()
    for wrong in ("mysql://x/y", "nonsense", "sqlite://"):
        with pytest.raises(DatabaseError, match="BABELPROOF_JOBS_URL"):
            Database(wrong, tmp_path)
