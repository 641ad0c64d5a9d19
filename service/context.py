"""What every group of routes shares: settings, the models, metrics, keys, and how a body is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.requests import Request

from probes.types import Item
from runtime.classifier import OnnxClassifier, Prediction
from service.answers.schemas import M, parse
from service.http.body import read_object
from service.http.errors import Refusal
from service.keys.access import Access
from service.metrics import Metrics
from service.models import Models
from service.probing.client import Probing
from service.settings import Settings

Observer = Callable[[str, Sequence[Item], Prediction], None]
"""Model's name, items, what was answered."""


@dataclass(frozen=True, slots=True)
class Context:
    """Made once by the interface, handed to every group."""

    settings: Settings
    models: Models
    metrics: Metrics
    access: Access
    probing: Probing
    observers: list[Observer] = field(default_factory=list)
    """Told of every answer to /predict once it is sent, or about to be; they must not wait."""

    @property
    def classifier(self) -> OnnxClassifier:
        """The classifier behind the default model, as it is now."""
        return self.models.get().classifier

    def spend(self, request: Request, texts: int) -> None:
        """Count texts for the client of a request; Refusal 429 when its key has not so many left."""
        self.access.spend(request.state.client, texts)

    @contextmanager
    def spending(self, request: Request, texts: int) -> Iterator[None]:
        """Count texts likewise, and give them back where the block comes to nothing: a Refusal."""
        self.spend(request, texts)
        try:
            yield
        except Refusal:
            self.spend(request, -texts)
            raise

    async def read(self, request: Request, model: type[M]) -> M:
        """The body of a request as a model; Refusal when it is not one."""
        limits = {"max_bytes": self.settings.max_body_bytes, "timeout_s": self.settings.body_timeout_s}
        return parse(model, await read_object(request, **limits))
