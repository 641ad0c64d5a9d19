"""The database of jobs: its tables, how it is reached, and what is said while it cannot be used.

SQLite in the state folder serves the workers of one machine, PostgreSQL those of several. Whatever a job needs to be
gone on with by another prober is in it, so nothing of a job lies anywhere else.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    exc,
    insert,
    literal_column,
    make_url,
    select,
)

VERSION = 1
FILE = "jobs.sqlite"
_PATIENCE_S = 5
# so that workers that start together make the tables one after the other
_MAKING = 0x62706A62
# and jobs are counted and admitted one after the other
_ALONE = _MAKING + 1
_CLOCKS = {
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) AS double precision)",
}

_METADATA = MetaData()
schema = Table("babelproof_schema", _METADATA, Column("version", Integer, primary_key=True))
jobs = Table(
    "babelproof_jobs",
    _METADATA,
    Column("id", String(40), primary_key=True),
    Column("client", String(64), nullable=False),
    Column("idempotency_key", String(128)),
    Column("asked", String(64), nullable=False),
    Column("model", String(128), nullable=False),
    Column("battery", String(128), nullable=False),
    Column("texts", Integer, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    Column("revision", Integer, nullable=False, default=1),
    Column("created", Float, nullable=False),
    Column("started", Float),
    Column("ended", Float),
    # who has it, until when without a sign of life, how often it was taken, and how often since a block was kept
    Column("holder", String(128)),
    Column("lease_until", Float),
    Column("taken", Integer, nullable=False, default=0),
    Column("fruitless", Integer, nullable=False, default=0),
    # what fixes the outcomes besides the texts, said when the job began; JSON
    Column("facts", Text),
    Column("done", Integer, nullable=False, default=0),
    Column("wanted", Integer),
    Column("bytes", Integer, nullable=False),
    Column("error_code", String(64)),
    Column("error", Text),
    Column("sha256", String(64)),
    UniqueConstraint("client", "idempotency_key"),
    Index("babelproof_jobs_by_state", "state", "id"),
)
blocks = Table(
    "babelproof_blocks",
    _METADATA,
    Column("job", String(40), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
results = Table(
    "babelproof_results",
    _METADATA,
    Column("job", String(40), primary_key=True),
    Column("form", String(16), primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)


class DatabaseAway(Exception):
    """The database cannot be used now; the sentence says why, the code what kind of trouble it is."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class DatabaseError(ValueError):
    """A database of jobs that can never be used as it is: which, why and what to do."""


class Database:
    """Connections to the database of jobs; its tables are made when it is first reached."""

    def __init__(self, address: str, state: Path) -> None:
        """A SQLAlchemy URL, or nothing for a file in the state folder; DatabaseError where it cannot be one."""
        self._file = None if address else state / FILE
        url = _url(address) if address else URL.create("sqlite", database=str(self._file))
        self.clock: Any = literal_column(_CLOCKS[url.get_backend_name()], Float)
        self.sqlite = url.get_backend_name() == "sqlite"
        options = {"timeout": _PATIENCE_S} if self.sqlite else _PATIENT
        try:
            self._engine = create_engine(url, connect_args=options, pool_pre_ping=not self.sqlite, pool_timeout=5)
        except ImportError:
            said = "jobs in PostgreSQL need psycopg: pip install -c constraints.txt -e '.[postgres]'"
            raise DatabaseError(said) from None
        if self.sqlite:
            event.listen(self._engine, "connect", _prepare_sqlite)
        self._making = threading.Lock()
        self._made = False

    @contextmanager
    def writing(self, *, alone: bool = False) -> Iterator[Connection]:
        """A transaction that is there whole or not at all; DatabaseAway when it is not.

        alone: no other that is alone runs beside it; SQLite has one writer anyway.
        """
        with self._connected() as connection:
            if self.sqlite:  # at once: to become a writer halfway can fail
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            elif alone:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ALONE})")
            yield connection
            connection.commit()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read from; DatabaseAway when there is none."""
        with self._connected() as connection:
            yield connection

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with _told():
            if not self._made:
                self._make()
            with self._engine.connect() as connection:
                yield connection

    def _make(self) -> None:
        """Make the tables where they are not there yet; DatabaseError where they are those of a newer version."""
        with self._making:
            if self._made:
                return
            if self._file is not None:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                self._file.touch(mode=0o600)  # there are texts of clients in it
            with self._engine.connect() as connection:
                lock = "BEGIN IMMEDIATE" if self.sqlite else f"SELECT pg_advisory_xact_lock({_MAKING})"
                connection.exec_driver_sql(lock)
                _METADATA.create_all(connection)
                found = connection.execute(select(schema.c.version)).scalar()
                if found is None:
                    connection.execute(insert(schema).values(version=VERSION))
                elif found != VERSION:
                    where = self._file or "of BABELPROOF_JOBS_URL"
                    said = f"the jobs database {where} has version {found}; this service knows version {VERSION}: "
                    raise DatabaseError(said + "use the babelproof that wrote it, or another database")
                connection.commit()
            self._made = True


# half a minute without an answer is a connection that is gone
_PATIENT = {
    "connect_timeout": 3,
    "client_encoding": "utf8",
    "options": "-c statement_timeout=30000 -c lock_timeout=5000",
}


def _url(address: str) -> URL:
    try:
        url = make_url(address)
    except exc.ArgumentError:
        raise DatabaseError("BABELPROOF_JOBS_URL is no database address; postgresql://user@host/name is one") from None
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
        return url
    raise DatabaseError("BABELPROOF_JOBS_URL must begin with postgresql://, or sqlite:/// and the path of a file")


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions begin where `writing` says so
    _write_ahead(connection)
    for pragma in (
        "synchronous = FULL",  # a job that was accepted survives a power cut
        "secure_delete = ON",  # deleted texts are gone from the file
        "journal_size_limit = 67108864",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: Any) -> None:
    """Where several do so at once to a new file, SQLite does not wait for its turn but fails."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
        time.sleep(0.02)


@contextmanager
def _told() -> Iterator[None]:
    """What drivers and disks complain of, as DatabaseAway; no statement and no value of one is quoted."""
    try:
        yield
    except exc.IntegrityError:
        raise
    except (exc.DBAPIError, exc.TimeoutError, OSError) as error:
        kind = type(getattr(error, "orig", None) or error).__name__
        said = str(getattr(error, "orig", None) or error).lower()
        if "disk is full" in said or "disk i/o" in said or "no space" in said or kind == "DiskFull":
            raise DatabaseAway("storage_full", "There is no room left where jobs are kept.") from error
        if "locked" in said or "lock timeout" in said:
            raise DatabaseAway("jobs_unavailable", "The database of jobs is busy; try again in a moment.") from error
        raise DatabaseAway("jobs_unavailable", f"The database of jobs cannot be used now ({kind}).") from error
