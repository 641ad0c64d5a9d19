"""The route that probes: /probe, answered at once or, for who asks so, told as it goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response

from service.answers.probe import check_probe
from service.answers.schemas import ProbeAnswer, ProbeRequest
from service.context import Context
from service.http import events
from service.http.errors import Refusal
from service.http.exchange import Phase
from service.http.openapi import takes
from service.http.routing import Route, Table
from service.probing.client import Answer, OnEvent


class Probe:
    """Batteries over texts a client sends."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> Table:
        said = takes(
            "Find the small changes that flip labels",
            "Runs a battery of probes over the served model; rows per language and step, with 95 % intervals. With "
            "`Accept: text/event-stream` the answer is a stream of the events `progress`, `flip`, then `result` (the "
            "same body) or `error`.",
            ProbeRequest,
            ProbeAnswer,
            kinds=(events.MEDIA_TYPE,),
            example={"texts": ["The match ended in a draw."], "battery": "quick"},
        )
        return {
            "/probe": {"POST": Route(self._probe, said)},
            "/models/{name}/probe": {"POST": Route(self._probe, said)},
        }

    def close(self) -> None:
        """The prober is the context's."""

    async def _probe(self, request: Request) -> Response:
        context = self._context
        model = request.path_params.get("name", context.models.default)
        labels = context.models.get(model).labels
        wanted = await context.read(request, ProbeRequest)
        check_probe(wanted, labels, context.settings)
        if events.wanted(request):
            return await self._stream(request, wanted, model)
        request.scope["exchange"].watch(Phase.ANSWER)  # a client that leaves cancels it
        answer = await self._run(request, wanted, model)
        return Response(self._counted(answer), media_type="application/json")

    async def _run(self, request: Request, wanted: ProbeRequest, model: str, on_event: OnEvent | None = None) -> Answer:
        with self._context.spending(request, len(wanted.texts)):
            answer = await self._context.probing.run(wanted, model, on_event)
        self._context.metrics.texts.labels("/probe").inc(len(wanted.texts))
        return answer

    async def _stream(self, request: Request, wanted: ProbeRequest, model: str) -> Response:
        mailbox = events.Mailbox()
        work = asyncio.ensure_future(self._run(request, wanted, model, mailbox.put))
        work.add_done_callback(lambda _: mailbox.close())
        await asyncio.sleep(0)
        if work.done():  # refused before anything was told: an answer like any other
            work.result()
        return events.streamed(self._told(request, work, mailbox))

    async def _told(
        self, request: Request, work: asyncio.Future[Answer], mailbox: events.Mailbox
    ) -> AsyncIterator[bytes]:
        try:
            yield events.BEAT  # the head goes out now, whatever comes when
            while (said := await mailbox.get()) is not None:
                yield said
            try:
                yield events.event("result", self._counted(work.result()))
            except Refusal as refusal:
                yield events.failure(refusal, request)
        finally:
            work.cancel()
            with suppress(Refusal, asyncio.CancelledError):
                await work

    def _counted(self, answer: Answer) -> bytes:
        for lang, status, n in answer.outcomes:
            self._context.metrics.probe_outcomes.labels(lang, status).inc(n)
        return answer.body
