"""Routes about the service itself: what it serves, whether it is well, its metrics, its OpenAPI document."""

from __future__ import annotations

import asyncio
import functools
import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from probes import attacks, battery, languages, perturbations
from runtime.classifier import OnnxClassifier
from service.context import Context
from service.http.errors import Refusal
from service.http.openapi import document, gives
from service.http.routing import Route, Table
from service.metrics import CONTENT_TYPE
from service.settings import Settings


class Facts:
    """What is asked by people who run it and by programs that watch it."""

    def __init__(self, context: Context, ready: Callable[[], bool]) -> None:
        self._context = context
        self._is_ready = ready
        self.table: Table = {}
        """All routes of the interface, for the document; given by it."""

    def routes(self) -> Table:
        about = gives("The model, its languages, the limits, the batteries, versions")
        return {
            "/about": {"GET": Route(self._about, about)},
            "/livez": {"GET": Route(self._alive, gives("Whether the process answers"), "nothing")},
            "/readyz": {"GET": Route(self._ready, gives("Whether to send requests here", refusals=(503,)), "nothing")},
            # by this name clients of text-embeddings-inference know it
            "/health": {"GET": Route(self._ready, gives("The same", refusals=(503,)), "nothing")},
            "/metrics": {"GET": Route(self._metrics, gives("Prometheus metrics", "text/plain"), "metrics")},
            "/openapi.json": {"GET": Route(self._openapi, gives("This document"), "nothing")},
        }

    def close(self) -> None:
        """Nothing runs."""

    async def _about(self, request: Request) -> Response:
        models = self._context.models
        return JSONResponse({"model": describe(models.default, models.get().classifier)} | self._facts)

    async def _alive(self, request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def _ready(self, request: Request) -> Response:
        """Nothing is answered before the models are warm, so what is left to say is whether the process is leaving."""
        if not self._is_ready():
            raise Refusal(503, "leaving", "This process is about to end; send requests elsewhere.")
        return JSONResponse({"status": "ready"})

    async def _metrics(self, request: Request) -> Response:
        metrics = self._context.metrics
        metrics.flush()
        # beside the loop: files of all workers are read, and a database
        return Response(await asyncio.to_thread(metrics.render), headers={"Content-Type": CONTENT_TYPE})

    async def _openapi(self, request: Request) -> Response:
        return Response(self._document, media_type="application/json")

    @functools.cached_property
    def _document(self) -> bytes:
        return JSONResponse(document(_version("babelproof") or "0", self.table)).body  # type: ignore[return-value]

    @functools.cached_property
    def _facts(self) -> dict[str, Any]:
        settings = self._context.settings
        return {
            "limits": {
                name: getattr(settings, name)
                for name in Settings.__dataclass_fields__
                if name.startswith(("max_", "default_deadline")) or name.endswith("_queue")
            },
            "batteries": [
                {"name": one.name, "version": one.version, "steps": [step.name for step in one.steps]}
                for one in map(battery.load, battery.names())
            ],
            "perturbations": [
                {"name": name, "description": perturbations.describe(name), "unit": perturbations.unit(name)}
                for name in perturbations.names()
            ],
            "attacks": attacks.names(),
            "probe_languages": languages.codes(),
            "versions": {"python": platform.python_version()}
            | {name: _version(name) for name in ("babelproof", "bentoml", "onnxruntime", "tokenizers", "numpy")},
        }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def describe(name: str, classifier: OnnxClassifier) -> dict[str, Any]:
    """What a model is, for people and programs that use it."""
    manifest = classifier.manifest
    return {
        "name": name,
        "sha256": manifest.sha256,
        "task": manifest.task,
        "pairs": manifest.pairs,
        "labels": manifest.labels,
        "languages": manifest.languages,
        "max_length": manifest.max_length,
        "encoder": manifest.encoder,
        "licence": manifest.licence,
        "precision": classifier.choice.precision,
        "backend": classifier.choice.backend,
    }
