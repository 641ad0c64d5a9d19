"""Server-sent events: what is told as it happens, over one answer that stays open."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from starlette.requests import Request

from service.http.errors import Refusal
from service.http.streaming import Streaming

MEDIA_TYPE = "text/event-stream"
BEAT_S = 10.0
"""Seconds of silence after which a comment is sent, so that nothing between takes the connection for dead."""
BEAT = b":\n\n"


def wanted(request: Request) -> bool:
    """Whether a client asks for events."""
    return MEDIA_TYPE in request.headers.get("accept", "").lower()


def event(kind: str, data: bytes, number: int | None = None) -> bytes:
    """One event; its data is JSON in one line."""
    numbered = b"" if number is None else b"id: %d\n" % number
    return b"event: %s\n%sdata: %s\n\n" % (kind.encode(), numbered, data)


def failure(refusal: Refusal, request: Request) -> bytes:
    """A refusal that comes when the answer has begun, in the shape of any other."""
    return event("error", bytes(refusal.response(request.state.request_id).body))


def streamed(events: AsyncIterator[bytes], ended: Callable[[], None] = lambda: None) -> Streaming:
    """An answer of events, which says when it has ended; a client that leaves ends it, a slow one slows it down."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Streaming(events, ended, media_type=MEDIA_TYPE, headers=headers)


class Mailbox:
    """Events between a sender that does not wait and a reader that may be slow: of progress only the latest is kept."""

    def __init__(self) -> None:
        self._kept: deque[bytes] = deque()
        self._progress: bytes | None = None
        self._news = asyncio.Event()
        self._closed = False

    def put(self, kind: str, data: bytes) -> None:
        """Add an event; there are few of any other kind than progress."""
        if kind == "progress":
            self._progress = event(kind, data)
        else:
            self._kept.append(event(kind, data))
        self._news.set()

    def close(self) -> None:
        """Nothing more will come."""
        self._closed = True
        self._news.set()

    async def get(self) -> bytes | None:
        """The next event, a heartbeat where there is none for a while, None after the last."""
        try:
            async with asyncio.timeout(BEAT_S):
                await self._news.wait()
        except TimeoutError:
            return BEAT
        if self._kept:
            return self._kept.popleft()
        found, self._progress = self._progress, None
        if found is None and not self._closed:
            self._news.clear()
            return await self.get()
        return found
