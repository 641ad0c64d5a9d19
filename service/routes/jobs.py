"""Durable jobs: /batteries takes them, tells how they go, gives their reports, ends them."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import zlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar, get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.answers.probe import check_job
from service.answers.schemas import JobRequest, parse
from service.context import Context
from service.http import events
from service.http.body import as_object, read_json
from service.http.errors import Refusal
from service.http.openapi import asked, gives, takes
from service.http.routing import Route, Table
from service.http.streaming import Streaming, takes_gzip
from service.probing.database import DatabaseAway, DatabaseError
from service.probing.reports import KINDS
from service.probing.schemas import JobAnswer, JobPage
from service.probing.store import Job, State, Submission

T = TypeVar("T")
log = logging.getLogger("babelproof.service")
_KEY = re.compile(r"[\x21-\x7e]{1,128}")
_ID = re.compile(r"[0-9a-f-]{1,40}")
_LOOK_S = 0.25
_PAGE, _MOST = 50, 200
_ENDS = ("cancel", "delete")
# a report in HTML brings its own style and script; nothing of this address is open to it
_SANDBOX = "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


class Jobs:
    """Batteries that outlive the connection, the worker and the machine that took them."""

    def __init__(self, context: Context, leaving: Callable[[], bool]) -> None:
        self._context = context
        self._leaving = leaving
        self._store = context.probing.store
        context.probing.on_ended = lambda state: context.metrics.jobs.labels(state).inc()
        # the database is asked beside the loop: it may be slow, or gone
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="jobs")
        self._streams = 0

    def routes(self) -> Table:
        one = (401, 403, 404, 503)
        submit = takes(
            "Submit a job",
            "Like /probe, without a deadline and for many texts. With the header `Idempotency-Key` a request that is "
            "sent again gives the same job; another request under the same key is refused (409).",
            JobRequest,
            JobAnswer,
            statuses=(200, 202),
            refusals=(*one, 409),
            example={"texts": ["The match ended in a draw."], "battery": "quick"},
        )
        page = (
            asked("state", "Only jobs in this state.", {"enum": list(get_args(State))}),
            asked("after", "`next` of the page before.", {"type": "string", "pattern": f"^{_ID.pattern}$"}),
            asked("limit", "Jobs of a page.", {"type": "integer", "minimum": 1, "maximum": _MOST, "default": _PAGE}),
        )
        ends = (asked("only", "Refuse (409) what would be the other.", {"enum": list(_ENDS)}),)
        form = (asked("format", "Of the report.", {"enum": list(KINDS), "default": "json"}),)
        listed = gives("Jobs, the latest first", answer=JobPage, parameters=page, refusals=(422,))
        found = gives("A job: its state, how far it is, who works on it", answer=JobAnswer, refusals=one)
        ended = gives(
            "Cancel a job that is alive; delete one that has ended, with its texts (204)",
            answer=JobAnswer,
            parameters=ends,
            also={204: "The job was deleted."},
            refusals=(*one, 409, 422),
        )
        told = gives(
            "Events of a job until it ends; Last-Event-ID goes on",
            events.MEDIA_TYPE,
            also={204: "The job has ended, and that was told."},
            refusals=(404, 429),
        )
        report = gives(
            "The report of a job that is done", parameters=form, kinds=tuple(KINDS.values())[1:], refusals=(409, 422)
        )
        return {
            "/batteries": {
                "POST": Route(self._submit, submit, "jobs"),
                "GET": Route(self._list, listed, "jobs"),
            },
            "/batteries/{id}": {
                "GET": Route(self._get, found, "jobs"),
                "DELETE": Route(self._end, ended, "jobs"),
            },
            "/batteries/{id}/events": {"GET": Route(self._events, told, "jobs")},
            "/batteries/{id}/result": {"GET": Route(self._result, report, "jobs")},
        }

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _submit(self, request: Request) -> Response:
        context, settings = self._context, self._context.settings
        key = request.headers.get("idempotency-key")
        if key is not None and not _KEY.fullmatch(key):
            sentence = "Idempotency-Key must be 1 to 128 printable ASCII characters without spaces."
            raise Refusal(422, "bad_idempotency_key", sentence)
        limits = {"max_bytes": settings.max_job_body_bytes, "timeout_s": settings.body_timeout_s}
        body, client = await read_json(request, **limits), request.state.client
        # megabytes are read and checked beside the loop
        submission = await asyncio.to_thread(self._read, body, client.name if client else "", key)
        with context.spending(request, submission.texts):
            job, new = await self._ask(lambda: self._store.submit(submission, client.max_jobs if client else None))
        if new:
            context.probing.nudge()
        else:
            context.spend(request, -submission.texts)
        return _said(job, 202 if new else 200, {"Location": f"/batteries/{job.id}"})

    def _read(self, body: bytes, client: str, key: str | None) -> Submission:
        """What a client wants done; Refusal where it cannot be."""
        wanted, models = parse(JobRequest, as_object(body)), self._context.models
        model = wanted.model or models.default
        battery = check_job(wanted, models.get(model).labels, self._context.settings)
        kept = wanted.model_dump_json().encode()
        digest = hashlib.sha256(kept).hexdigest()
        return Submission(client, key, digest, model, battery.name, len(wanted.texts), kept)

    async def _list(self, request: Request) -> Response:
        sent = request.query_params
        state, after, limit = sent.get("state"), sent.get("after"), sent.get("limit", str(_PAGE))
        if state is not None and state not in get_args(State):
            raise Refusal(422, "unknown_state", f"state must be one of {', '.join(get_args(State))}.")
        if after is not None and not _ID.fullmatch(after):
            raise Refusal(422, "bad_cursor", "after must be what `next` of the page before said.")
        if not re.fullmatch("[0-9]{1,3}", limit) or not 1 <= int(limit) <= _MOST:
            raise Refusal(422, "bad_limit", f"limit must be a whole number, 1 to {_MOST}.")
        n = int(limit)
        found = await self._ask(lambda: self._store.list(_name(request), state, after, n + 1))  # type: ignore[arg-type]
        page = JobPage(jobs=[JobAnswer.of(job) for job in found[:n]], next=found[n - 1].id if len(found) > n else None)
        return JSONResponse(page.model_dump(mode="json"))

    async def _get(self, request: Request) -> Response:
        return _said(await self._found(request))

    async def _end(self, request: Request) -> Response:
        name, client, only = _id(request), _name(request), request.query_params.get("only")
        if only not in (None, *_ENDS):
            raise Refusal(422, "unknown_end", f"only must be {' or '.join(_ENDS)}.")
        if only != "delete" and (job := await self._ask(lambda: self._store.cancel(name, client))) is not None:
            self._context.metrics.jobs.labels(job.state).inc()
            return _said(job)
        if only != "cancel" and await self._ask(lambda: self._store.delete(name, client)):
            return Response(status_code=204)
        job = await self._found(request)
        if only == "cancel" and job.state == "cancelled":  # asked again, for the first answer was lost
            return _said(job)
        raise Refusal(409, "wrong_state", f"The job is {job.state}, so there is nothing to {only or 'end'}.")

    async def _result(self, request: Request) -> Response:
        form = request.query_params.get("format", "json")
        if form not in KINDS:
            raise Refusal(422, "unknown_format", f"format must be one of {', '.join(KINDS)}.")
        job = await self._found(request)
        if job.state != "done":
            raise Refusal(409, "not_done", f"The job is {job.state}; there is a report once it is done.")
        count = await self._ask(lambda: self._store.parts(job.id, form))
        if not count:
            raise _unknown()
        packed = takes_gzip(request.headers.get("accept-encoding", ""))
        tag = f'"{job.sha256}-{form}{"-gzip" * packed}"'
        headers = {"ETag": tag, "Vary": "Accept-Encoding", "Cache-Control": "private"}
        headers |= {"Content-Encoding": "gzip"} if packed else {}
        headers |= {"Content-Security-Policy": _SANDBOX} if form == "html" else {}
        parts = self._parts(job, form, count)
        return Streaming(parts if packed else _unpacked(parts), media_type=KINDS[form], headers=headers)

    async def _parts(self, job: Job, form: str, count: int) -> AsyncIterator[bytes]:
        """The parts of a report, each fetched when the one before is sent."""
        for number in range(count):
            part = await self._ask(partial(self._store.part, job.id, form, number))
            if part is None:  # breaks the connection: what was sent must not pass for the whole
                raise LookupError("the job was deleted while its report was sent")
            yield part

    async def _events(self, request: Request) -> Response:
        job = await self._found(request)
        last = request.headers.get("last-event-id", "")
        seen = int(last) if re.fullmatch("[0-9]{1,18}", last) else 0
        if not job.alive and seen >= job.revision:
            return Response(status_code=204)  # by which a browser knows not to come again
        if self._streams >= (most := self._context.settings.max_streams):
            sentence = f"{most} streams of events are open already; try again in a moment."
            raise Refusal(429, "overloaded", sentence, {"Retry-After": "5"})
        self._streams += 1
        return events.streamed(self._told(request, job, seen), self._ended)

    def _ended(self) -> None:
        self._streams -= 1

    async def _told(self, request: Request, job: Job, seen: int) -> AsyncIterator[bytes]:
        """What changes of a job, each change by its revision; at the end how it ended.

        Where this process ends before, clients go on elsewhere from the last event they saw.
        """
        silent = 0.0
        try:
            while True:
                if job.revision > seen:
                    kind, seen, silent = "progress" if job.alive else job.state, job.revision, 0.0
                    yield events.event(kind, JobAnswer.of(job).model_dump_json().encode(), job.revision)
                elif (silent := silent + _LOOK_S) >= events.BEAT_S:
                    silent = 0.0
                    yield events.BEAT
                if not job.alive:
                    return
                await asyncio.sleep(_LOOK_S)
                if self._leaving():
                    return
                job = await self._found(request)
        except Refusal as refusal:
            yield events.failure(refusal, request)

    async def _found(self, request: Request) -> Job:
        name = _id(request)
        job = await self._ask(lambda: self._store.get(name, _name(request)))
        if job is None:
            raise _unknown()
        return job

    async def _ask(self, call: Callable[[], T]) -> T:
        """The result of a call to the database; Refusal 503 while that is away."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        except DatabaseAway as away:
            raise Refusal(503, away.code, away.sentence, {"Retry-After": "5"}) from None
        except DatabaseError as error:
            log.error("%s", error)
            sentence = "The database of jobs is not one this service can use; its log says why."
            raise Refusal(503, "jobs_unavailable", sentence, {"Retry-After": "60"}) from None


async def _unpacked(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What was packed into a gzip file; a thread does it, for parts are large."""
    reader = zlib.decompressobj(wbits=31)
    async for part in parts:
        yield await asyncio.to_thread(reader.decompress, part)


def _id(request: Request) -> str:
    """The id in the path; what cannot be one never reaches the database."""
    name: str = request.path_params["id"]
    if not _ID.fullmatch(name):
        raise _unknown()
    return name


def _name(request: Request) -> str | None:
    """Whose jobs a client sees: its own, and an administrator everybody's."""
    client = request.state.client
    return None if client is None or client.key.may("admin") else client.name


def _said(job: Job, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(JobAnswer.of(job).model_dump(mode="json"), status, headers)


def _unknown() -> Refusal:
    return Refusal(404, "unknown_job", "There is no such job; it may have been deleted.")
