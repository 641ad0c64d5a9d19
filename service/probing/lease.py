"""A job as its prober holds it: taken for a while, renewed, kept block by block, handed in or handed back.

Every write says who holds the job and by which taking; a prober that was thought dead writes nothing any more.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Update, and_, case, delete, func, insert, or_, select, update

from probes.report import outcome_from_json, outcome_to_json
from probes.running.state import Done
from service.probing.database import Database, blocks, jobs, results

FRUITLESS = 10
"""Takings in a row without a block kept, after which a job is given up: it may be what kills its probers."""


class LeaseLost(Exception):
    """The job is no longer this prober's: it was cancelled, or taken over."""


class JobFailed(Exception):
    """The job cannot be done; a code for programs and a sentence for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code)
        self.code = code
        self.sentence = sentence


def take(database: Database, holder: str, lease_s: float) -> Lease | None:
    """The oldest job that nobody is at, or None."""
    free = or_(
        jobs.c.state == "queued",
        and_(jobs.c.state == "running", jobs.c.lease_until < database.clock),
    )
    oldest = select(jobs.c.id).where(free).order_by(jobs.c.id).limit(1)
    with database.reading() as connection:
        if connection.execute(oldest).scalar() is None:
            return None
    wanted = update(jobs).where(jobs.c.id == oldest.with_for_update(skip_locked=True).scalar_subquery(), free)
    taken = wanted.values(
        state="running",
        holder=holder,
        lease_until=database.clock + lease_s,
        taken=jobs.c.taken + 1,
        fruitless=jobs.c.fruitless + 1,
        started=case((jobs.c.started.is_(None), database.clock), else_=jobs.c.started),
        revision=jobs.c.revision + 1,
    ).returning(jobs.c.id, jobs.c.taken, jobs.c.fruitless, jobs.c.model, jobs.c.request)
    with database.writing() as connection:
        row = connection.execute(taken).first()
    if row is None:
        return None
    return Lease(database, holder, lease_s, row.id, row.taken, row.fruitless, row.model, zlib.decompress(row.request))


@dataclass(frozen=True, slots=True)
class Lease:
    """A job that was taken; LeaseLost from any method once it is somebody else's, or nobody's."""

    database: Database
    holder: str
    lease_s: float
    job: str
    taken: int
    fruitless: int
    model: str
    request: bytes

    def begin(self, facts: Mapping[str, Any], wanted: int) -> set[int]:
        """The numbers of the blocks that are kept; JobFailed where the job was begun with other facts."""
        said = json.dumps(facts, sort_keys=True)
        with self.database.writing() as connection:
            first = case((jobs.c.facts.is_(None), said), else_=jobs.c.facts)
            self._write(connection, self._mine().values(facts=first, wanted=wanted))
            before = connection.execute(select(jobs.c.facts).where(jobs.c.id == self.job)).scalar_one()
            if before != said:
                old = json.loads(before)
                other = ", ".join(name for name in facts if json.loads(said)[name] != old.get(name))
                sentence = f"Another {other} than the job began with: what was found so far does not go with it. "
                raise JobFailed("model_changed", sentence + "Submit it again.")
            return set(connection.execute(select(blocks.c.number).where(blocks.c.job == self.job)).scalars())

    def block(self, number: int) -> Done:
        """A block that is kept."""
        with self.database.reading() as connection:
            wanted = select(blocks.c.body).where(blocks.c.job == self.job, blocks.c.number == number)
            if (body := connection.execute(wanted).scalar()) is None:
                raise LeaseLost
        outcomes, queries, whole = json.loads(zlib.decompress(body))
        return Done(number, [outcome_from_json(outcome) for outcome in outcomes], queries, whole)

    def keep(self, found: Done, done: int) -> None:
        """Keep a block, once; done is how many outcomes there are with it."""
        said = [[outcome_to_json(outcome) for outcome in found.outcomes], found.queries, found.whole]
        body = zlib.compress(json.dumps(said).encode())
        with self.database.writing() as connection:
            self._write(connection, self._told(done).values(fruitless=0))
            # what was written before the connection broke is there already, and is the same
            there = select(blocks.c.number).where(blocks.c.job == self.job, blocks.c.number == found.number)
            if connection.execute(there).first() is None:
                connection.execute(insert(blocks).values(job=self.job, number=found.number, body=body))
                connection.execute(self._mine().values(bytes=jobs.c.bytes + len(body)))

    def alive(self) -> None:
        """Nothing, while the job is this prober's."""
        with self.database.reading() as connection:
            if connection.execute(select(jobs.c.id).where(self._is_mine())).first() is None:
                raise LeaseLost

    def renew(self, done: int) -> None:
        """Say that the job is worked on, and how far it is."""
        with self.database.writing() as connection:
            self._write(connection, self._told(done))

    def finish(self, sha256: str, parts: Iterable[tuple[str, int, bytes]]) -> None:
        """Hand in the report: the parts of each form. Its blocks go."""
        with self.database.writing() as connection:
            self._end(connection, state="done", sha256=sha256, done=jobs.c.wanted)
            size: ColumnElement[int] = func.length(jobs.c.request)
            for form, part, body in parts:
                connection.execute(insert(results).values(job=self.job, form=form, part=part, body=body))
                size = size + len(body)
            connection.execute(update(jobs).where(jobs.c.id == self.job).values(bytes=size))

    def fail(self, failure: JobFailed) -> None:
        """Say that the job cannot be done; its blocks go."""
        with self.database.writing() as connection:
            self._end(connection, state="failed", error_code=failure.code, error=failure.sentence)

    def hand_back(self) -> None:
        """Let another prober go on with the job at once."""
        with self.database.writing() as connection:
            once_less = case((jobs.c.fruitless > 0, jobs.c.fruitless - 1), else_=0)
            free = self._mine().values(state="queued", holder=None, lease_until=None, fruitless=once_less)
            self._write(connection, free.values(revision=jobs.c.revision + 1))

    def _end(self, connection: Connection, **values: Any) -> None:
        end = self._mine().values(ended=self.database.clock, holder=None, lease_until=None, **values)
        self._write(connection, end.values(revision=jobs.c.revision + 1))
        connection.execute(delete(blocks).where(blocks.c.job == self.job))

    def _told(self, done: int) -> Update:
        most = case((jobs.c.done < done, done), else_=jobs.c.done)
        until = self.database.clock + self.lease_s
        return self._mine().values(done=most, lease_until=until, revision=jobs.c.revision + 1)

    def _write(self, connection: Connection, statement: Update) -> None:
        if not connection.execute(statement).rowcount:
            raise LeaseLost

    def _mine(self) -> Update:
        return update(jobs).where(self._is_mine())

    def _is_mine(self) -> Any:
        return and_(jobs.c.id == self.job, jobs.c.holder == self.holder, jobs.c.taken == self.taken)
