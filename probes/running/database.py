"""SQLite files that survive a kill at any moment: how they are opened, and what is said of one that cannot be used."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

_PATIENCE, _NO_PATIENCE = 60.0, 0.5
"""Seconds to wait for another process that is writing; for one that has the file to itself."""


class StoreError(ValueError):
    """A file of answers, or of a run, that cannot be used: which, why, and what to do."""


@contextmanager
def told(path: str | Path, kind: str) -> Iterator[None]:
    """Say which file SQLite complains about, and what to do; kind is what the file is."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise StoreError(f"{path} is in use by another process; wait for it, or name another file") from error
        raise StoreError(f"{path} cannot be used as {kind}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path} is damaged, or is not {kind} ({error}); delete it and it is made anew") from error


def connect(path: str | Path, kind: str, application: int, schema: str, *, alone: bool = False) -> sqlite3.Connection:
    """The database at path, made if need be, with write-ahead logging; "" is a private one that goes when it is closed.

    application is the id such files carry: a database of anything else is refused, with a StoreError. alone keeps every
    other process out as long as it is open. Statements commit one by one unless they stand in a `writing` block.
    """
    with told(path, kind):
        if path:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        found = sqlite3.connect(
            path, timeout=_NO_PATIENCE if alone else _PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(found, path, kind, application, schema, alone)
        except BaseException:
            found.close()
            raise
        return found


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """What is written in the block is there whole or not at all."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def reading(path: Path, kind: str, query: str) -> Iterator[tuple[object, ...]]:
    """The rows of a query on a connection of their own, one by one."""
    with told(path, kind), closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as found:
        yield from found.execute(query)


def _prepare(
    found: sqlite3.Connection, path: str | Path, kind: str, application: int, schema: str, alone: bool
) -> None:
    if alone:
        found.execute("PRAGMA locking_mode = EXCLUSIVE")
    found.execute("PRAGMA journal_mode = WAL")
    found.execute("PRAGMA synchronous = NORMAL")
    with writing(found):
        [carried] = found.execute("PRAGMA application_id").fetchone()
        [tables] = found.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        if tables and carried != application:
            raise StoreError(f"{path} is a database of something else, not {kind}; name another file")
        if not tables:
            found.execute(f"PRAGMA application_id = {application}")
            for statement in schema.split(";"):
                found.execute(statement)
