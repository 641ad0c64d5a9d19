"""What every group of routes shares: settings, the model, metrics, and how a body is read."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from runtime.classifier import OnnxClassifier
from service.body import read_object
from service.metrics import Metrics
from service.schemas import M, parse
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """Made once by the interface, handed to every group."""

    settings: Settings
    classifier: OnnxClassifier
    metrics: Metrics

    async def read(self, request: Request, model: type[M]) -> M:
        """The body of a request as a model; Refusal when it is not one."""
        limits = {"max_bytes": self.settings.max_body_bytes, "timeout_s": self.settings.body_timeout_s}
        return parse(model, await read_object(request, **limits))
