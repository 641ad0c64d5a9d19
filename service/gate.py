"""The outermost layer: request ids, metrics, the log line, and an answer whatever happens inside."""

from __future__ import annotations

import asyncio
import logging
import re
import time
import traceback
import uuid
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import internal
from service.metrics import Metrics

log = logging.getLogger("babelproof.service")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_POLLED = frozenset({"/livez", "/readyz", "/health", "/metrics"})
_DRAIN_BYTES = 128 * 1024 * 1024
_DRAIN_S = 10.0
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
}


@dataclass(slots=True)
class _Exchange:
    """One request and its answer as they pass."""

    receive: Receive
    send: Send
    request_id: str
    expects_body: bool
    status: int = 500
    started: bool = False
    begun: float = field(default_factory=time.perf_counter)

    async def read(self) -> Message:
        message = await self.receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self.expects_body = False
        return message

    async def write(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started, self.status = True, message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self.request_id
            for name, value in SECURITY.items():
                headers.setdefault(name, value)
            if self.expects_body:
                headers["Connection"] = "close"
        elif self.expects_body and not message.get("more_body", False):
            await self.send({**message, "more_body": True})
            await self._drain()
            message = {"type": "http.response.body", "body": b""}
        await self.send(message)

    async def _drain(self) -> None:
        """Throw the rest of a refused body away: closing at once would reset the connection and lose the answer."""
        left = _DRAIN_BYTES
        try:
            async with asyncio.timeout(_DRAIN_S):
                while self.expects_body and left > 0:
                    left -= len((await self.read()).get("body", b""))
        except TimeoutError:
            return


class Gate:
    """Wraps the application; no exception, text or address of a client's making gets past it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        wanted = headers.get("x-request-id", "")
        exchange = _Exchange(
            receive,
            send,
            wanted if _REQUEST_ID.fullmatch(wanted) else uuid.uuid4().hex,
            headers.get("content-length", "0") != "0" or "transfer-encoding" in headers,
        )
        scope.setdefault("state", {})["request_id"] = exchange.request_id
        self._metrics.in_progress.inc()
        try:
            await self._app(scope, exchange.read, exchange.write)
        except Exception as error:
            # the message of an exception may quote a text; its kind and place do not
            place = "".join(traceback.format_tb(error.__traceback__))
            log.error("request %s failed with %s\n%s", exchange.request_id, type(error).__name__, place)
            if exchange.started:
                raise ConnectionAbortedError("the answer broke off") from None
            await internal().response(exchange.request_id)(scope, exchange.read, exchange.write)
        finally:
            self._account(scope, exchange)

    def _account(self, scope: Scope, exchange: _Exchange) -> None:
        seconds = time.perf_counter() - exchange.begun
        # set by the router where one matched; anything else is one label
        route = scope["state"].get("route", "unmatched")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.in_progress.dec()
        self._metrics.requests.labels(route, method, str(exchange.status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        level = logging.DEBUG if route in _POLLED else logging.INFO
        log.log(level, "%s %s %d %.1f ms %s", method, route, exchange.status, seconds * 1000, exchange.request_id)
