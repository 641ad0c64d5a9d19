"""A worker process: our interface outermost, BentoML's service behind it, on the supervisor's listening socket.

BentoML's own worker puts OpenTelemetry, time-outs and contexts around every request, some 370 calls of them; here they
are behind the interface, which answers all of HTTP. Lifespan and shutdown are those of the BentoML service as ever.
"""

from __future__ import annotations

import argparse
import signal
import socket
import time
from types import FrameType

import bentoml
import uvicorn
from _bentoml_impl.loader import load
from bentoml._internal.context import server_context
from starlette.types import ASGIApp, Receive, Scope, Send

from service.http.connections import bounded
from service.interface import Interface
from service.settings import Settings, read_settings

SERVICE = "service.app:Babelproof"
_HAND_BACK_S = 8


class Outermost:
    """Gives HTTP to the interface, as soon as the service has made it, and all else to BentoML."""

    def __init__(self, bento: ASGIApp) -> None:
        self._bento = bento
        self.interface: Interface | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._bento(scope, receive, send)
        else:
            await (self.interface or self._find())(scope, receive, send)

    def refused(self, code: str) -> None:
        """A connection was refused before there was a request."""
        (self.interface or self._find()).refused(code)

    def _find(self) -> Interface:
        # uvicorn takes no connection before the lifespan has begun, and with it the service
        self.interface = bentoml.get_current_service().interface
        return self.interface


class Server(uvicorn.Server):
    """On SIGTERM says first that it is not ready, goes on for a while, and then ends as uvicorn does."""

    def __init__(self, config: uvicorn.Config, lame_duck_s: float) -> None:
        super().__init__(config)
        self._lame_duck_s = lame_duck_s
        self._leaves_at = float("inf")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig == signal.SIGTERM and self.started and self._leaves_at == float("inf"):
            self._captured_signals.append(sig)
            self._leaves_at = time.monotonic() + self._lame_duck_s
            bentoml.get_current_service().interface.leave()
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        self.should_exit = self.should_exit or time.monotonic() >= self._leaves_at
        return await super().on_tick(counter)


def main() -> None:
    """Serve on the socket of the supervisor until told to stop."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--fd", type=int, required=True, help="the listening socket")
    arguments.add_argument("--number", type=int, required=True, help="which worker this is, from 1")
    given = arguments.parse_args()
    settings = read_settings()
    app = Outermost(_bento(given.number))
    with socket.socket(fileno=given.fd) as listener:
        Server(_config(app, settings), settings.lame_duck_s).run(sockets=[listener])


def _bento(number: int) -> ASGIApp:
    """The BentoML service as its own worker would make it."""
    server_context.worker_index, server_context.service_type = number, "entry_service"
    service = load(SERVICE, standalone_load=True)
    server_context.service_name, server_context.bento_name = service.name, service.name
    server_context.bento_version = "not available"
    app: ASGIApp = service.to_asgi(is_main=True)
    return app


def _config(app: Outermost, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=bounded(settings, app.refused),
        ws="none",
        interface="asgi3",
        backlog=2048,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        # TLS 1.3 has suites of its own; uvicorn's default lets old ones of 1.2 in
        ssl_ciphers="ECDHE+AESGCM:ECDHE+CHACHA20",
        # what is left until the supervisor kills, the prober needs to hand its job back
        timeout_graceful_shutdown=max(1, settings.drain_s - _HAND_BACK_S),
    )


if __name__ == "__main__":
    main()
