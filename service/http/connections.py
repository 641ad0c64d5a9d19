"""Connections that cannot be held for nothing: heads in time and of a size, few pipelined requests, answers taken.

uvicorn waits for ever for a request's first byte and for the end of its head, keeps all headers that come, queues all
requests of a read, and waits for ever for a client that does not take its answer. This is its protocol, with bounds.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.http.errors import Refusal
from service.settings import Settings

_PIPELINED = 8
_LINGER_S = 1.0
_BROKEN = Refusal(400, "bad_http", "This is not an HTTP/1.1 request.")


class Bounded(HttpToolsProtocol):
    """One connection; `bounded` gives it its settings."""

    settings: ClassVar[Settings] = Settings()
    _fault: Refusal | None = None
    _refused = False
    _timer: asyncio.TimerHandle | None = None
    """For the head of a request, from the start of the connection or the request's first byte."""
    _stall: asyncio.TimerHandle | None = None
    _read = 0
    """Bytes read since the head was waited for."""

    @staticmethod
    def count(code: str) -> None:
        """Told the code of every refusal."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if (held := len(self.connections)) <= self.settings.max_connections:
            self._await_head()
        elif held <= 2 * self.settings.max_connections:
            self._refuse(Refusal(503, "too_many_connections", "Too many connections are open.", {"Retry-After": "1"}))
        else:
            self.count("too_many_connections")
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._timer, self._stall):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._fault is not None:
            return  # refused: thrown away until the connection is closed
        self._read += len(data)
        super().data_received(data)
        if self._timer is not None and self._read > self.settings.max_header_bytes:
            self._refuse(self._too_large())

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= _PIPELINED:
            self._fail(Refusal(400, "too_many_pipelined", f"At most {_PIPELINED} requests are taken ahead."))
        super().on_message_begin()
        if self._timer is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        most = self.settings.max_header_bytes
        if self._read > most and len(self.url) + sum(len(n) + len(v) for n, v in self.headers) > most:
            self._fail(self._too_large())
        super().on_headers_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stall is None:
            self._stall = self.loop.call_later(self.settings.write_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls when the parser gives up, also when one of our bounds made it."""
        self._refuse(self._fault or _BROKEN)

    def _await_head(self) -> None:
        self._read = 0
        self._timer = self.loop.call_later(self.settings.header_timeout_s, self._late)

    def _late(self) -> None:
        self._timer = None
        if not self._read:  # nothing was asked, so nothing is answered
            self.transport.close()
            return
        seconds = self.settings.header_timeout_s
        self._refuse(Refusal(408, "head_too_slow", f"The head of the request did not arrive within {seconds} seconds."))

    def _too_large(self) -> Refusal:
        most = self.settings.max_header_bytes
        return Refusal(431, "head_too_large", f"The head of the request is larger than the {most} bytes allowed.")

    def _fail(self, refusal: Refusal) -> None:
        """Stop the parser, which then has us answer."""
        self._fault = refusal
        raise ValueError(refusal.code)

    def _refuse(self, refusal: Refusal) -> None:
        """Answer without the application, then close: not at once, which would reset and lose the answer."""
        self._fault = refusal
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        self.count(refusal.code)
        if self._timer is not None:
            self._timer.cancel()
        response = refusal.response(uuid.uuid4().hex)
        response.headers["connection"] = "close"
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in response.raw_headers)
        status = f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}\r\n".encode()
        if self.cycle is None or self.cycle.response_complete:  # else it would land within an answer under way
            self.transport.write(status + lines + b"\r\n" + bytes(response.body))
            if self.transport.can_write_eof():
                self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.abort)


def bounded(settings: Settings, count: Callable[[str], None] = Bounded.count) -> type[Bounded]:
    """The protocol of a worker, for `uvicorn.Config(http=...)`; count is told the code of every refusal."""
    return type("BoundedHttp", (Bounded,), {"settings": settings, "count": staticmethod(count)})
