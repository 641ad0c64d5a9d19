"""The BentoML service: one model copy per process, behind an interface that answers every request itself."""

from __future__ import annotations

import ctypes
import math
import os
import signal
import sys

import bentoml
from starlette.types import ASGIApp, Receive, Scope, Send

from service.http import logs
from service.interface import Interface
from service.models import Models, patiently
from service.settings import read_settings

_PR_SET_PDEATHSIG = 1


@bentoml.service(
    name="babelproof",
    # the interface has its own metrics, log line and deadlines: BentoML's label by raw path and answer in other shapes
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": ".*"},
    # cannot be switched off; longer than the longest probe, whose own deadline is answered in our shape
    traffic={"timeout": 300},
)
class Babelproof:
    """A multilingual text classifier that can be asked where it breaks."""

    def __init__(self) -> None:
        settings = read_settings()
        logs.set_up(settings.log_format)
        if settings.supervisor:
            _die_with(settings.supervisor)
            self._models = patiently(lambda: Models.open(settings))
        else:
            self._models = Models.open(settings)
        self.interface = Interface(settings, self._models)
        self.interface.warm()
        self._models.start(lambda: _end(settings.drain_s + math.ceil(settings.lame_duck_s)))

    @bentoml.on_shutdown
    def close(self) -> None:
        self.interface.close()
        self._models.close()


class Front:
    """Answers HTTP before BentoML's router does, so that none of its own routes lies in front of ours."""

    def __init__(self, app: ASGIApp) -> None:
        self._bento = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await bentoml.get_current_service().interface(scope, receive, send)
        else:
            await self._bento(scope, receive, send)


Babelproof.add_asgi_middleware(Front)  # type: ignore[attr-defined]


def _end(seconds: int) -> None:
    """End this worker as SIGTERM does, so that another is started in its place; by force after so many seconds."""
    signal.alarm(seconds)
    os.kill(os.getpid(), signal.SIGTERM)


def _die_with(supervisor: int) -> None:
    """Ask the kernel to end this worker when its supervisor is gone, however that came about."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != supervisor:
        raise SystemExit("the supervisor is gone")
