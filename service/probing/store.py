"""Jobs as clients see them: submitted once, listed, watched, cancelled, deleted, and gone after a while."""

from __future__ import annotations

import secrets
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from service.http.errors import Refusal
from service.probing.database import Database, blocks, jobs, results
from service.settings import Settings

State = Literal["queued", "running", "done", "failed", "cancelled"]
ALIVE = ("queued", "running")
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Submission:
    """What a client wants done; asked is the digest of its request, by which a repeated one is known."""

    client: str
    idempotency_key: str | None
    asked: str
    model: str
    battery: str
    texts: int
    request: bytes


@dataclass(frozen=True, slots=True)
class Job:
    """A job as its row says it, without its texts; times are seconds since 1970."""

    id: str
    client: str
    model: str
    battery: str
    texts: int
    state: State
    revision: int
    created: float
    started: float | None
    ended: float | None
    holder: str | None
    lease_until: float | None
    taken: int
    done: int
    wanted: int | None
    error_code: str | None
    error: str | None
    sha256: str | None

    @property
    def alive(self) -> bool:
        return self.state in ALIVE


_COLUMNS = [jobs.c[field.name] for field in fields(Job)]


class Store:
    """Everything but the work itself; raises DatabaseAway while the database is."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    def submit(self, wanted: Submission, most: int | None = None) -> tuple[Job, bool]:
        """The job, and whether it is new; Refusal 409 for a key that stands for another request, 429 for too many.

        most is how many jobs of this client may wait or run.
        """
        for last in (False, True):
            try:
                # one at a time: what is counted here must still be so when the job is there
                with self._database.writing(alone=True) as connection:
                    if (known := self._known(connection, wanted)) is not None:
                        return known, False
                    self._expire(connection)
                    request = zlib.compress(wanted.request)
                    self._admit(connection, wanted, len(request), most)
                    return self._insert(connection, wanted, request), True
            except IntegrityError:  # the same key at the same moment: now it is known
                if last:
                    raise
        raise AssertionError

    def get(self, name: str, client: str | None = None) -> Job | None:
        """The job of this id; client None sees those of every client."""
        with self._database.reading() as connection:
            return _job(connection, select(*_COLUMNS).where(jobs.c.id == name, *_own(client)))

    def list(self, client: str | None, state: State | None, after: str | None, limit: int) -> Sequence[Job]:
        """The latest jobs, those before the id `after` where it is given."""
        wanted = select(*_COLUMNS).where(*_own(client)).order_by(jobs.c.id.desc()).limit(limit)
        if state is not None:
            wanted = wanted.where(jobs.c.state == state)
        if after is not None:
            wanted = wanted.where(jobs.c.id < after)
        with self._database.reading() as connection:
            return [Job(**row) for row in connection.execute(wanted).mappings()]

    def cancel(self, name: str, client: str | None = None) -> Job | None:
        """End a job that is alive: its prober finds the lease gone, and stops; None where there is none to cancel."""
        with self._database.writing() as connection:
            wanted = update(jobs).where(jobs.c.id == name, jobs.c.state.in_(ALIVE), *_own(client))
            ended = wanted.values(state="cancelled", ended=self._database.clock, revision=jobs.c.revision + 1)
            if not connection.execute(ended.values(holder=None, lease_until=None)).rowcount:
                return None
            connection.execute(delete(blocks).where(blocks.c.job == name))
            return _job(connection, select(*_COLUMNS).where(jobs.c.id == name))

    def delete(self, name: str, client: str | None = None) -> bool:
        """Delete a job that has ended, with its texts and its report; whether there was one."""
        with self._database.writing() as connection:
            ended = select(jobs.c.id).where(jobs.c.id == name, jobs.c.state.not_in(ALIVE), *_own(client))
            return _delete(connection, ended)

    def parts(self, name: str, form: str) -> int:
        """Of how many parts a finished report in one of its forms is."""
        with self._database.reading() as connection:
            mine = (results.c.job == name, results.c.form == form)
            return connection.execute(select(func.count()).select_from(results).where(*mine)).scalar_one()

    def part(self, name: str, form: str, number: int) -> bytes | None:
        """A finished report in one of its forms is one gzip file in parts; None after the last."""
        with self._database.reading() as connection:
            mine = (results.c.job == name, results.c.form == form, results.c.part == number)
            return connection.execute(select(results.c.body).where(*mine)).scalar()

    def release(self, holder: str) -> int:
        """Give back what a prober that is gone has held, so that another goes on with it at once."""
        with self._database.writing() as connection:
            freed = update(jobs).where(jobs.c.holder == holder, jobs.c.state == "running")
            freed = freed.values(state="queued", holder=None, lease_until=None, revision=jobs.c.revision + 1)
            return connection.execute(freed).rowcount

    def expire(self) -> None:
        """Delete the jobs that are kept no longer."""
        with self._database.writing() as connection:
            self._expire(connection)

    def _known(self, connection: Connection, wanted: Submission) -> Job | None:
        if wanted.idempotency_key is None:
            return None
        mine = (jobs.c.client == wanted.client, jobs.c.idempotency_key == wanted.idempotency_key)
        found = connection.execute(select(jobs.c.id, jobs.c.asked).where(*mine)).first()
        if found is None:
            return None
        if found.asked != wanted.asked:
            sentence = "This Idempotency-Key stands for another request; send a new key with a new request."
            raise Refusal(409, "idempotency_conflict", sentence)
        return _job(connection, select(*_COLUMNS).where(jobs.c.id == found.id))

    def _admit(self, connection: Connection, wanted: Submission, size: int, most: int | None) -> None:
        settings, retry = self._settings, {"Retry-After": "30"}
        alive = select(func.count()).select_from(jobs).where(jobs.c.state.in_(ALIVE))
        if connection.execute(alive).scalar_one() >= settings.max_jobs_waiting:
            sentence = f"{settings.max_jobs_waiting} jobs are waiting already; try again later."
            raise Refusal(429, "too_many_jobs", sentence, retry)
        if most is not None and connection.execute(alive.where(jobs.c.client == wanted.client)).scalar_one() >= most:
            raise Refusal(429, "too_many_jobs", f"{most} of your jobs are waiting already; try again later.", retry)
        held = connection.execute(select(func.coalesce(func.sum(jobs.c.bytes), 0))).scalar_one()
        if held + size > settings.max_jobs_bytes:
            sentence = "The jobs that are kept take all the room there is for them; delete some, or try again later."
            raise Refusal(429, "no_room_for_jobs", sentence, retry)

    def _insert(self, connection: Connection, wanted: Submission, request: bytes) -> Job:
        # ids in the order of time, which nobody guesses
        name = f"{int(time.time() * 1000):011x}-{secrets.token_hex(10)}"
        said = {field.name: getattr(wanted, field.name) for field in fields(Submission)}
        row = said | {"id": name, "request": request, "bytes": len(request), "state": "queued"}
        connection.execute(insert(jobs).values(row | {"created": self._database.clock}))
        found = _job(connection, select(*_COLUMNS).where(jobs.c.id == name))
        assert found is not None
        return found

    def _expire(self, connection: Connection) -> None:
        ended = select(jobs.c.id).where(jobs.c.state.not_in(ALIVE))
        oldest = self._database.clock - self._settings.jobs_kept_days * _DAY_S
        _delete(connection, ended.where(jobs.c.ended < oldest))
        beyond = ended.order_by(jobs.c.ended.desc(), jobs.c.id.desc()).offset(self._settings.jobs_kept)
        _delete(connection, beyond)


def _own(client: str | None) -> list[ColumnElement[bool]]:
    """What makes a job one of the client's; nothing where every client's are meant."""
    return [] if client is None else [jobs.c.client == client]


def _job(connection: Connection, wanted: Select[Any]) -> Job | None:
    row = connection.execute(wanted).mappings().first()
    return None if row is None else Job(**row)


def _delete(connection: Connection, which: Select[Any]) -> bool:
    names = connection.execute(which).scalars().all()
    if names:
        for table, column in ((blocks, blocks.c.job), (results, results.c.job), (jobs, jobs.c.id)):
            connection.execute(delete(table).where(column.in_(names)))
    return bool(names)
