"""The whole HTTP interface as one ASGI application: groups of routes behind the gate."""

from __future__ import annotations

import threading

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from probes.detect import detect
from probes.types import Item
from runtime.classifier import OnnxClassifier
from service.context import Context
from service.errors import Refusal, not_found, wrong_method
from service.gate import Gate
from service.metrics import Metrics
from service.routes.facts import Facts
from service.routes.page import Page
from service.routes.predict import Predict
from service.routes.probe import Probe
from service.routing import Endpoint, Group, Routing
from service.settings import Settings


class Interface:
    """Answers every request over one classifier."""

    def __init__(self, settings: Settings, classifier: OnnxClassifier) -> None:
        context = Context(settings, classifier, Metrics(settings.metrics_dir))
        self._context = context
        facts = Facts(context)
        self._groups: tuple[Group, ...] = (Page(context), Predict(context), Probe(context), facts)
        self.routing = Routing(self._groups)
        facts.table = self.routing.table
        self._gate = Gate(self._answer, context.metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._gate(scope, receive, send)

    def warm(self) -> None:
        """Load what the first call of each kind would; languages beside the first answers, which need none."""
        self._context.classifier([Item("warm")])
        threading.Thread(target=detect, args=("warm",), daemon=True).start()

    def close(self) -> None:
        for group in self._groups:
            group.close()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._endpoint(request)(request)
        except Refusal as refusal:
            response = refusal.response(request.state.request_id)
        await response(scope, receive, send)

    def _endpoint(self, request: Request) -> Endpoint:
        match = self.routing.find(request.scope["path"])
        if match is None:
            raise not_found()
        request.state.route = match.pattern
        request.scope["path_params"] = match.names
        route = match.methods.get("GET" if request.method == "HEAD" else request.method)
        if route is None:
            raise wrong_method(", ".join(match.methods))
        return route.endpoint
