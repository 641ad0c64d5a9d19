"""The route that probes: /probe."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.context import Context
from service.lanes import Lane
from service.openapi import takes
from service.probe import Prober
from service.routing import Route, Table
from service.schemas import ProbeAnswer, ProbeRequest


class Probe:
    """Batteries over texts a client sends."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._prober = Prober(context.settings, context.classifier, context.metrics)
        self._lane = Lane("probe", threads=1, capacity=context.settings.probe_queue, retry_after_s=5)

    def routes(self) -> Table:
        said = takes(
            "Find the small changes that flip labels",
            "Runs a battery of probes over the served model; rows per language and step, with 95 % intervals.",
            ProbeRequest,
            ProbeAnswer,
            example={"texts": ["The match ended in a draw."], "battery": "quick"},
        )
        return {"/probe": {"POST": Route(self._probe, said)}}

    def close(self) -> None:
        self._lane.close()

    async def _probe(self, request: Request) -> Response:
        wanted = await self._context.read(request, ProbeRequest)
        battery = self._prober.check(wanted)
        answer = await self._lane.run(lambda: self._prober.answer(wanted, battery))
        self._context.metrics.texts.labels("/probe").inc(len(wanted.texts))
        return JSONResponse(answer)
