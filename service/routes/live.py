"""The route of live probing: /live."""

from __future__ import annotations

import asyncio
import sqlite3

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.context import Context
from service.http.errors import Refusal
from service.http.openapi import gives
from service.http.routing import Route, Table
from service.live.counts import FILE, read
from service.live.plan import plan
from service.live.report import LiveMetrics, live
from service.live.sampler import Sampler


class LiveFlips(BaseModel):
    """Changed copies of live texts in one language by one family of probes, and how many changed the label."""

    lang: str
    family: str
    n: int
    flips: int
    rate: float
    low: float
    high: float


class LiveDrift(BaseModel):
    """How far the latest texts are from the first (0..1), the chance of that without drift, sizes of the windows."""

    distance: float
    p: float
    first: int
    latest: int


class LiveModel(BaseModel):
    """What live probing found on one model since it was loaded."""

    model: str
    sha256: str
    texts: int
    flips: list[LiveFlips]
    language_drift: LiveDrift | None
    confidence_drift: dict[str, LiveDrift]


class LiveAnswer(BaseModel):
    """What live probing is set to, and what it found; `rate` 0 is off."""

    rate: float
    families: list[str]
    languages: list[str] | None
    models: list[LiveModel]


class Live:
    """How robust the models are on the traffic they get; also as metrics."""

    def __init__(self, context: Context) -> None:
        self._path, self._names = context.settings.state / FILE, context.models.names
        self._rate = context.settings.live_rate
        self._plan = plan(context.settings)
        context.metrics.add(LiveMetrics(self._path, self._names))
        if self._rate:
            context.observers.append(Sampler(context.settings, context.probing.observe).offer)

    def routes(self) -> Table:
        said = gives("Flips and drift of live traffic", answer=LiveAnswer, refusals=(503,))
        return {"/live": {"GET": Route(self._live, said)}}

    def close(self) -> None:
        """Nothing runs."""

    async def _live(self, request: Request) -> Response:
        try:
            models = [live(counted) for counted in await asyncio.to_thread(read, self._path, self._names)]
        except sqlite3.Error:
            sentence = "What live probing has counted cannot be read just now."
            raise Refusal(503, "unavailable", sentence, {"Retry-After": "5"}) from None
        languages = sorted(self._plan.languages) or None
        said = {"rate": self._rate, "families": list(self._plan.families), "languages": languages}
        return JSONResponse(said | {"models": models})
