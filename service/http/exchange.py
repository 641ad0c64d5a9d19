"""One request and its answer as they pass the gate: raw ASGI, because the hot route has no calls to spare."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
import uuid
from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from starlette.types import Message, Receive, Scope, Send

from service.http.errors import Refusal

if TYPE_CHECKING:
    from service.keys.access import Client

Header = tuple[bytes, bytes]
JSON: Header = (b"content-type", b"application/json")
SECURITY: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        b"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
)
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_DRAIN_BYTES = 128 * 1024 * 1024
_DRAIN_S = 10.0
_process = uuid.uuid4().hex[:20]
_process_id = _process.encode()
_numbers = itertools.count()


class Phase(IntEnum):
    """What a request waits for, where the gate's patrol looks after it."""

    UNWATCHED = 0
    BODY = 1
    ANSWER = 2


class Exchange:
    """One request and its answer."""

    __slots__ = (
        "_id",
        "_replay",
        "begun",
        "client",
        "ended",
        "expects_body",
        "headers",
        "last",
        "phase",
        "receive",
        "request_id",
        "route",
        "scope",
        "send",
        "started",
        "status",
        "task",
        "watcher",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, last: bool = False) -> None:
        self.begun = time.monotonic()
        self.scope, self.receive, self.send = scope, receive, send
        self.headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))
        """The first of each name."""
        if b"x-request-id" in self.headers and _REQUEST_ID.fullmatch(sent := self.headers[b"x-request-id"]):
            self._id, self.request_id = sent, sent.decode()
        else:
            number = next(_numbers)
            self._id, self.request_id = b"%b%012x" % (_process_id, number), f"{_process}{number:012x}"
        self.expects_body = self.headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in self.headers
        self.status, self.started = 500, False
        self.route = "unmatched"
        """The pattern of the route that matched; anything else is one label of the metrics."""
        self.client: Client | None = None
        self.last = last
        """Whether the connection is closed after the answer."""
        self.phase = Phase.UNWATCHED
        self.task: asyncio.Task[Any] | None = None
        self.watcher: asyncio.Task[None] | None = None
        self.ended: Refusal | None = None
        """Why the patrol ended it; its task was cancelled."""
        self._replay: bytes | None = None

    async def read(self) -> Message:
        """ASGI's receive, for what lies behind the gate."""
        if (body := self._replay) is not None:
            self._replay = None
            return {"type": "http.request", "body": body, "more_body": False}
        message = await self.receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self.expects_body = False
        return message

    async def body(self, most: int) -> bytes | None:
        """The whole body; None, with nothing read, unless its length is announced and within bounds. Refusal 400."""
        try:  # an announcement that is no number is refused by the careful reader
            if not 0 <= int(self.headers[b"content-length"]) <= most:
                return None
        except (KeyError, ValueError):
            return None
        self.watch(Phase.BODY)
        body = b""
        while self.expects_body:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Refusal(400, "disconnected", "The connection was closed before the body was complete.")
            if "body" in message:
                body += message["body"]
            self.expects_body = "more_body" in message and message["more_body"]
        self.phase = Phase.UNWATCHED
        return body

    def unread(self, body: bytes) -> None:
        """Let a body that was read be read once more."""
        self._replay = body

    async def write(self, message: Message) -> None:
        """ASGI's send, for what lies behind the gate."""
        if message["type"] == "http.response.start":
            self.started, self.status = True, message["status"]
            message["headers"] = self._headed(message.get("headers", ()))
        elif self.expects_body and not message.get("more_body", False):
            await self.send({**message, "more_body": True})
            await self._drain()
            message = {"type": "http.response.body", "body": b""}
        await self.send(message)

    async def reply(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        """A whole answer in JSON."""
        own = (JSON, (b"content-length", b"%d" % len(body)), *headers)
        if self.expects_body or self.last:
            await self.write({"type": "http.response.start", "status": status, "headers": own})
            await self.write({"type": "http.response.body", "body": body})
            return
        self.started, self.status = True, status
        headed = [*own, *SECURITY, (b"x-request-id", self._id)]
        await self.send({"type": "http.response.start", "status": status, "headers": headed})
        await self.send({"type": "http.response.body", "body": body})

    async def refuse(self, refusal: Refusal) -> None:
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in refusal.headers.items()]
        await self.reply(refusal.status, headers, json.dumps(refusal.body(self.request_id)).encode())

    def watch(self, phase: Phase) -> None:
        """From now on the patrol may end this request."""
        if self.task is None:
            self.task = asyncio.current_task()
        self.phase = phase

    def unwatch(self) -> None:
        """The answer is there: a client that leaves now only breaks the sending of it."""
        self.phase = Phase.UNWATCHED
        if self.watcher is not None:
            self.watcher.cancel()

    def end(self, refusal: Refusal) -> None:
        """Give the request up, and answer so."""
        if self.task is not None and self.ended is None:
            self.ended = refusal
            self.task.cancel()

    def _headed(self, headers: Sequence[Header]) -> list[Header]:
        """With the headers every answer has, unless it has its own."""
        own = dict(headers)
        missing = [header for header in SECURITY if header[0] not in own]
        headed = [*headers, *missing, (b"x-request-id", self._id)]
        return [*headed, (b"connection", b"close")] if self.expects_body or self.last else headed

    async def _drain(self) -> None:
        """Throw the rest of a refused body away: closing at once would reset the connection and lose the answer."""
        left = _DRAIN_BYTES
        try:
            async with asyncio.timeout(_DRAIN_S):
                while self.expects_body and left > 0:
                    left -= len((await self.read()).get("body", b""))
        except TimeoutError:
            return
