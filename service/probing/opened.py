"""The models a prober has open: those its worker serves, each opened again when its worker serves another digest."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from probes.detect import detect
from runtime.classifier import OnnxClassifier
from runtime.manifest import ModelFolderError
from runtime.session import BackendError
from service.http.errors import Refusal

log = logging.getLogger("babelproof.prober")


@dataclass(frozen=True, slots=True)
class Served:
    """A model as a worker serves it."""

    folder: str
    digest: str


Open = Callable[[Path], OnnxClassifier]
"""Opens a model folder; ModelFolderError, BackendError."""


class Opened:
    """Opened models by name; whoever works with one keeps it, whatever is opened in its place meanwhile."""

    def __init__(self, open_model: Open) -> None:
        self._open_model = open_model
        self._served: Mapping[str, Served] = {}
        self._opened: dict[str, tuple[Served, OnnxClassifier]] = {}
        self._turn = threading.Lock()

    def serve(self, served: Mapping[str, Served]) -> None:
        """What the worker serves from now on."""
        self._served = served
        for name in set(self._opened) - set(served):
            self._opened.pop(name, None)

    def warm(self) -> None:
        """Load what the first request would: the models, and what tells languages apart."""
        for name in self._served:
            with suppress(Refusal):
                self.get(name)
        detect("warm")

    def get(self, name: str) -> OnnxClassifier:
        """The model of this name; Refusal 404 where it is not served, 503 where its folder cannot be opened."""
        wanted = self._served.get(name)
        if wanted is None:
            raise Refusal(404, "unknown_model", "There is no such model; GET /about says what is served.")
        with self._turn:
            before = self._opened.get(name)
            if before is not None and before[0] == wanted:
                return before[1]
            try:
                found = self._open_model(Path(wanted.folder))
            except (ModelFolderError, BackendError, OSError) as error:
                log.warning("model %s cannot be opened for probing: %s", name, error)
                if before is not None:  # a folder half copied, say: the one before goes on
                    return before[1]
                sentence = "The model cannot be opened for probing just now; try again in a moment."
                raise Refusal(503, "model_unavailable", sentence, {"Retry-After": "5"}) from None
            self._opened[name] = wanted, found
            return found
