"""The outermost layer: request ids, metrics, the log line, and an answer whatever happens inside."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable

from starlette.types import Receive, Scope, Send

from service.http.errors import internal
from service.http.exchange import Exchange
from service.http.logs import failure
from service.http.patrol import Patrol
from service.http.request_log import RequestLog
from service.http.traces import traces
from service.metrics import Metrics
from service.settings import Settings

log = logging.getLogger("babelproof.service")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_POLLED = frozenset({"/livez", "/readyz", "/health", "/metrics"})


class Gate:
    """Wraps the application; no exception, text or address of a client's making gets past it."""

    def __init__(self, answer: Callable[[Exchange], Awaitable[None]], settings: Settings, metrics: Metrics) -> None:
        self.leaving = False
        """Whether the process is about to end, so that connections are closed after their answers."""
        self._answer = answer
        self._metrics = metrics
        self._log = RequestLog(as_json=settings.log_format == "json")
        self._patrol = Patrol(settings.body_timeout_s, self.flush)
        self._traces = traces(settings)
        metrics.sources.append(self._count)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send, last=self.leaving)
        patrol = self._patrol
        patrol.open[exchange] = None
        if exchange.begun > patrol.due:
            patrol.start()
        try:
            await self._answer(exchange)
        except Exception as error:
            await self._failed(exchange, error)
        finally:
            del patrol.open[exchange]
            if exchange.watcher is not None:
                exchange.watcher.cancel()
            self._account(exchange)

    def flush(self) -> None:
        """Hand counts and lines on that were kept back; called every second, and at the end."""
        self._metrics.flush()
        self._log.flush()

    def close(self) -> None:
        """The end: hand everything on."""
        self.flush()
        if self._traces is not None:
            self._traces.close()

    async def _failed(self, exchange: Exchange, error: Exception) -> None:
        failure(log, exchange.request_id, error.__cause__ or error)
        if exchange.started:
            raise ConnectionAbortedError("the answer broke off") from None
        await exchange.refuse(internal())

    def _account(self, exchange: Exchange) -> None:
        now = time.monotonic()
        seconds, route = now - exchange.begun, exchange.route
        method = exchange.scope["method"]
        if method not in _METHODS:
            method = "other"
        self._metrics.answered(route, method, exchange.status, seconds)
        if self._traces is not None:
            self._traces.told(exchange, method, seconds)
        if route not in _POLLED:
            self._log.lines.append((method, route, exchange.status, seconds, exchange.request_id, now))

    def _count(self) -> None:
        self._metrics.in_progress.set(len(self._patrol.open))
