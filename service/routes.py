"""The addresses of the service and what answers at each."""

from __future__ import annotations

import functools
import json
import platform
import threading
from collections.abc import Awaitable, Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from probes import attacks, battery, languages, perturbations
from probes.detect import detect
from probes.types import Item
from runtime.classifier import OnnxClassifier
from service.body import read_object
from service.errors import Refusal, not_found, wrong_method
from service.gate import Gate
from service.lanes import Lane
from service.metrics import CONTENT_TYPE, Metrics
from service.openapi import document
from service.predict import check, check_texts, predict
from service.probe import Prober
from service.schemas import DetectRequest, M, PredictRequest, ProbeRequest, parse
from service.settings import Settings

PAGE = Path(__file__).parent / "page"
Endpoint = Callable[[Request], Awaitable[Response]]


class Interface:
    """The whole HTTP interface over one classifier, as an ASGI application."""

    def __init__(self, settings: Settings, classifier: OnnxClassifier) -> None:
        self._settings = settings
        self._classifier = classifier
        self._metrics = Metrics(settings.metrics_dir)
        self._prober = Prober(settings, classifier, self._metrics)
        # two threads: one tokenises while the other's session run has the cores
        self._predicting = Lane("predict", threads=2, capacity=settings.predict_queue, retry_after_s=1)
        self._probing = Lane("probe", threads=1, capacity=settings.probe_queue, retry_after_s=5)
        self.routes = self._routes()
        self._gate = Gate(self._answer, self._metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._gate(scope, receive, send)

    def warm(self) -> None:
        """Load what the first call of each kind would; languages beside the first answers, which need none."""
        self._classifier([Item("warm")])
        threading.Thread(target=detect, args=("warm",), daemon=True).start()

    def close(self) -> None:
        self._predicting.close()
        self._probing.close()

    def _routes(self) -> dict[str, dict[str, Endpoint]]:
        """By path and method; no path has a variable part, so a table is all the routing there is."""
        scripts = {f"/static/{name}.js": "text/javascript" for name in ("app", "dom", "report", "variants")}
        page = scripts | {"/static/style.css": "text/css", "/static/icon.svg": "image/svg+xml"}
        return {
            "/": {"GET": _file("index.html", "text/html"), "POST": self._predict},
            "/predict": {"POST": self._predict},
            "/probe": {"POST": self._probe},
            "/detect": {"POST": self._detect},
            "/about": {"GET": self._about},
            "/demo.json": {"GET": self._demo},
            "/livez": {"GET": self._alive},
            "/readyz": {"GET": self._ready},
            "/health": {"GET": self._ready},  # by this name clients of text-embeddings-inference know it
            "/metrics": {"GET": self._show_metrics},
            "/openapi.json": {"GET": self._openapi},
            **{path: {"GET": _file(path.rpartition("/")[2], kind)} for path, kind in page.items()},
        }

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._endpoint(request)(request)
        except Refusal as refusal:
            response = refusal.response(request.state.request_id)
        await response(scope, receive, send)

    def _endpoint(self, request: Request) -> Endpoint:
        methods = self.routes.get(request.scope["path"])
        if methods is None:
            raise not_found()
        request.state.route = request.scope["path"]
        endpoint = methods.get("GET" if request.method == "HEAD" else request.method)
        if endpoint is None:
            raise wrong_method(", ".join(methods))
        return endpoint

    async def _predict(self, request: Request) -> Response:
        wanted = await self._read(request, PredictRequest)
        check(wanted, self._settings)
        answer = await self._predicting.run(lambda: predict(wanted, self._classifier))
        self._metrics.texts.labels("/predict").inc(len(wanted.inputs))
        self._metrics.truncated.inc(answer.truncated)
        return JSONResponse(answer.body, headers={"X-Truncated": str(answer.truncated)})

    async def _probe(self, request: Request) -> Response:
        wanted = await self._read(request, ProbeRequest)
        battery = self._prober.check(wanted)
        answer = await self._probing.run(lambda: self._prober.answer(wanted, battery))
        self._metrics.texts.labels("/probe").inc(len(wanted.texts))
        return JSONResponse(answer)

    async def _detect(self, request: Request) -> Response:
        wanted = await self._read(request, DetectRequest)
        check_texts(wanted.texts, "texts", self._settings.max_texts, self._settings.max_chars)
        found = await self._predicting.run(lambda: [detect(text) for text in wanted.texts])
        return JSONResponse(
            [{"lang": lang, "name": languages.get(lang).name, "confidence": round(sure, 4)} for lang, sure in found]
        )

    async def _about(self, request: Request) -> Response:
        return JSONResponse(self._facts)

    async def _alive(self, request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def _ready(self, request: Request) -> Response:
        return JSONResponse({"status": "ready"})

    async def _show_metrics(self, request: Request) -> Response:
        return Response(self._metrics.render(), headers={"Content-Type": CONTENT_TYPE})

    async def _openapi(self, request: Request) -> Response:
        return JSONResponse(document(_version("babelproof") or "0"))

    async def _demo(self, request: Request) -> Response:
        return JSONResponse(self._sentences)

    async def _read(self, request: Request, model: type[M]) -> M:
        settings = self._settings
        limits = {"max_bytes": settings.max_body_bytes, "timeout_s": settings.body_timeout_s}
        return parse(model, await read_object(request, **limits))

    @functools.cached_property
    def _sentences(self) -> list[dict[str, str]]:
        """The demo sentences; none where the file is missing."""
        if not self._settings.demo.is_file():
            return []
        lines = self._settings.demo.read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines if line.strip()]
        return [row | {"name": languages.get(row["lang"]).name} for row in rows]

    @functools.cached_property
    def _facts(self) -> dict[str, Any]:
        manifest, settings = self._classifier.manifest, self._settings
        return {
            "model": {
                "name": settings.model.name,
                "sha256": manifest.sha256,
                "task": manifest.task,
                "pairs": manifest.pairs,
                "labels": manifest.labels,
                "languages": manifest.languages,
                "max_length": manifest.max_length,
                "encoder": manifest.encoder,
                "licence": manifest.licence,
                "precision": manifest.onnx.precision,
            },
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


def _file(name: str, media_type: str) -> Endpoint:
    async def send(request: Request) -> Response:
        return FileResponse(PAGE / name, media_type=media_type, headers={"Cache-Control": "no-cache"})

    return send


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
