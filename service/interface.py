"""The whole HTTP interface as one ASGI application: groups of routes behind the gate."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Mapping

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from probes.detect import detect
from service.context import Context
from service.http.cors import check_origin, cross_origin, origins
from service.http.errors import Refusal, not_found, wrong_method
from service.http.exchange import Exchange
from service.http.gate import Gate
from service.http.routing import Group, Route, Routing
from service.keys.access import Access
from service.metrics import Metrics
from service.models import Models
from service.models.metrics import ModelMetrics
from service.probing.client import Probing
from service.routes.certify import Certify
from service.routes.facts import Facts
from service.routes.inference_v2 import InferenceV2
from service.routes.jobs import Jobs
from service.routes.live import Live
from service.routes.models import ModelRoutes
from service.routes.page import Page
from service.routes.predict import Predict
from service.routes.probe import Probe
from service.settings import Settings


class Interface:
    """Answers every request over the models it is given."""

    def __init__(self, settings: Settings, models: Models, probing: Probing | None = None) -> None:
        probing = probing or Probing(settings, models)
        context = Context(settings, models, Metrics(settings.metrics_dir), Access(settings), probing)
        self._context = context
        context.metrics.sources.append(ModelMetrics(models, context.metrics.registry).bring)
        self._gate = Gate(self._answer, settings, context.metrics)
        facts = Facts(context, lambda: not self._gate.leaving)
        self._groups: tuple[Group, ...] = (
            Page(context),
            Predict(context),
            Certify(context),
            InferenceV2(context, lambda: not self._gate.leaving),
            ModelRoutes(context),
            Probe(context),
            Jobs(context, lambda: self._gate.leaving),
            Live(context),
            facts,
        )
        self._app, self._origins = cross_origin(self._gate, settings), origins(settings)
        self.routing = Routing(self._groups)
        facts.table = self.routing.table

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return self._app(scope, receive, send)

    def warm(self) -> None:
        """Load languages beside the first answers, which need none; the models are warm when they are given."""
        self._context.probing.start()
        threading.Thread(target=detect, args=("warm",), daemon=True).start()

    def refused(self, code: str) -> None:
        """Count a connection that was refused before there was a request."""
        self._context.metrics.refused.labels(code).inc()

    def leave(self) -> None:
        """Say that this process is not ready any more, and close connections after their answers."""
        self._gate.leaving = True

    def close(self) -> None:
        for group in self._groups:
            group.close()
        self._context.probing.close()
        self._context.access.close()
        self._gate.close()

    async def _answer(self, exchange: Exchange) -> None:
        try:
            route, names = self._route(exchange)
            if route.fast is not None and await route.fast(exchange, names):
                return
            request = Request(exchange.scope, exchange.read)
            request.state.request_id, request.state.client = exchange.request_id, exchange.client
            exchange.scope["exchange"], exchange.scope["path_params"] = exchange, names
            response = await route.endpoint(request)
        except Refusal as refusal:
            return await exchange.refuse(refusal)
        except asyncio.CancelledError:
            if exchange.ended is None or exchange.task is None:
                raise
            exchange.task.uncancel()
            return await exchange.refuse(exchange.ended)
        exchange.unwatch()
        await response(exchange.scope, exchange.read, exchange.write)

    def _route(self, exchange: Exchange) -> tuple[Route, Mapping[str, str]]:
        scope = exchange.scope
        match = self.routing.plain.get(scope["path"]) or self.routing.find(scope["path"])
        if match is None:
            raise not_found()
        exchange.route = match.pattern
        method = scope["method"]
        route = match.methods.get("GET" if method == "HEAD" else method)
        if route is None:
            raise wrong_method(", ".join([*match.methods, *(["HEAD"] if "GET" in match.methods else [])]))
        if b"origin" in exchange.headers and method not in ("GET", "HEAD"):
            check_origin(exchange.headers, self._origins)
        exchange.client = self._context.access.admit(scope["headers"], route.needs)
        return route, match.names
