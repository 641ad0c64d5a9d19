"""Routes of the Open Inference Protocol v2: /v2, its health, the models, infer, the index of the repository."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from runtime.engine import Engine
from runtime.manifest import Manifest
from runtime.tokenization import TooLongError
from service.answers.asking import answered
from service.answers.predict import check_texts
from service.answers.schemas import parse
from service.context import Context
from service.http.body import as_object, media_type, read_bytes
from service.http.errors import Refusal
from service.http.openapi import DEADLINE, gives, listed, takes
from service.http.routing import Route, Table
from service.inference_v2 import schemas as v2
from service.inference_v2.tensors import Outputs, items

_EXAMPLE = {
    "id": "1",
    "inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["The match ended in a draw."]}],
}
_KINDS = ("application/json", "")
"""Triton's client does not say what it sends, nor do others."""
_BINARY = "application/octet-stream"
_HEAD = "inference-header-content-length"
_VERSION = 12
"""Digits of a model's identity that are its version here."""


class InferenceV2:
    """Every served model as clients of KServe, Triton and MLServer ask for it."""

    def __init__(self, context: Context, ready: Callable[[], bool]) -> None:
        self._context = context
        self._ready = ready

    def routes(self) -> Table:
        index = takes(
            "The models there are",
            "As Triton has it.",
            v2.IndexRequest,
            v2.Indexed,
            schema=listed(v2.Indexed),
            example={},
        )
        indexed = gives("The models there are", answer=v2.Indexed, schema=listed(v2.Indexed))
        server = gives("The server, by the Open Inference Protocol v2", answer=v2.ServerMetadata)
        ready = gives("Whether all models can be asked", answer=v2.Ready)
        live = gives("Whether the server is there", answer=v2.Live)
        found = {
            "/v2": {"GET": Route(self._server, server)},
            "/v2/health/live": {"GET": Route(self._is_live, live, "nothing")},
            "/v2/health/ready": {"GET": Route(self._is_ready, ready, "nothing")},
            "/v2/repository/index": {"GET": Route(self._index, indexed), "POST": Route(self._search, index)},
        }
        for path in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
            found |= self._model(path)
        return found

    def close(self) -> None:
        """Nothing runs."""

    def _model(self, path: str) -> Table:
        metadata = gives("What a model takes and gives", answer=v2.ModelMetadata)
        ready = gives("Whether a model can be asked", answer=v2.ModelReady)
        infer = takes(
            "Classify texts by the Open Inference Protocol v2",
            "Texts as a BYTES tensor, in JSON or by the binary extension (Inference-Header-Content-Length).",
            v2.InferRequest,
            v2.InferAnswer,
            parameters=(DEADLINE,),
            example=_EXAMPLE,
        )
        return {
            path: {"GET": Route(self._metadata, metadata)},
            f"{path}/ready": {"GET": Route(self._model_ready, ready)},
            f"{path}/infer": {"POST": Route(self._infer, infer)},
        }

    async def _server(self, request: Request) -> Response:
        extensions = ["binary_tensor_data", "model_repository"]
        return JSONResponse({"name": "babelproof", "version": version("babelproof"), "extensions": extensions})

    async def _is_live(self, request: Request) -> Response:
        return JSONResponse({"live": True})

    async def _is_ready(self, request: Request) -> Response:
        self._refuse_unready()
        return JSONResponse({"ready": True})

    async def _index(self, request: Request) -> Response:
        engines = {name: self._context.models.get(name) for name in self._context.models.names}
        return JSONResponse(
            [
                {"name": name, "version": _version(engine.manifest), "state": "READY", "reason": ""}
                for name, engine in engines.items()
            ]
        )

    async def _search(self, request: Request) -> Response:
        parse(v2.IndexRequest, as_object(await self._body(request) or b"{}"))
        return await self._index(request)

    async def _metadata(self, request: Request) -> Response:
        name, engine = self._engine(request)
        manifest, k = engine.manifest, len(engine.labels)
        texts = ("text", "text_pair") if manifest.pairs else ("text",)
        outputs = (("label", "BYTES", [-1]), ("scores", "FP32", [-1, k]), ("logits", "FP32", [-1, k]))
        return JSONResponse(
            {
                "name": name,
                "versions": [_version(manifest)],
                "platform": "onnx",
                "inputs": [{"name": text, "datatype": "BYTES", "shape": [-1]} for text in texts],
                "outputs": [{"name": n, "datatype": datatype, "shape": shape} for n, datatype, shape in outputs],
                "parameters": {
                    "labels": list(engine.labels),
                    "languages": list(manifest.languages),
                    "max_length": manifest.max_length,
                    "sha256": manifest.sha256,
                },
            }
        )

    async def _model_ready(self, request: Request) -> Response:
        name, _ = self._engine(request)
        self._refuse_unready()
        return JSONResponse({"name": name, "ready": True})

    async def _infer(self, request: Request) -> Response:
        self._engine(request)
        body = await self._body(request, *([_BINARY] if _HEAD in request.headers else []))
        size = _head_size(request, len(body))
        asked = parse(v2.InferRequest, as_object(body[:size]))
        texts = items(asked, memoryview(body)[size:])
        settings = self._context.settings
        check_texts([item.text for item in texts], "text", settings.max_texts, settings.max_chars)
        check_texts([item.pair for item in texts], "text_pair", settings.max_texts, settings.max_chars)
        truncate = asked.parameters is None or asked.parameters.truncate
        name, _ = self._engine(request)
        try:
            prediction, engine = await answered(self._context, request, texts, texts=len(texts), truncate=truncate)
        except TooLongError as error:
            sentence = f"text[{error.index}] has {error.tokens} tokens; the model takes {error.max_length}"
            raise Refusal(413, "too_many_tokens", f"{sentence} unless truncate is true.") from None
        _check_version(request, engine)  # another one may have been put in its place
        answer: dict[str, Any] = {"model_name": name, "model_version": _version(engine.manifest)}
        answer |= {"id": asked.id} if asked.id is not None else {}
        content, headers = Outputs.of(asked, prediction, engine.labels).body(answer)
        return Response(content, headers=headers)

    async def _body(self, request: Request, *also: str) -> bytes:
        if media_type(request) not in (*_KINDS, *also):
            sentence = "Send the request with the header Content-Type: application/json"
            raise Refusal(415, "not_json", f"{sentence}; {_BINARY} needs {_HEAD.title()} and is for infer alone.")
        settings = self._context.settings
        return await read_bytes(request, max_bytes=settings.max_body_bytes, timeout_s=settings.body_timeout_s)

    def _engine(self, request: Request) -> tuple[str, Engine]:
        """The model that the path names, and what answers for it now; Refusal 404."""
        name = request.path_params["name"]
        engine = self._context.models.get(name)
        _check_version(request, engine)
        return name, engine

    def _refuse_unready(self) -> None:
        if not self._ready():
            raise Refusal(503, "leaving", "This process is about to end; ask another one.", {"Retry-After": "1"})


def _version(manifest: Manifest) -> str:
    return manifest.sha256[:_VERSION]


def _check_version(request: Request, engine: Engine) -> None:
    """Refusal 404 where the path names a version that this engine is not."""
    if request.path_params.get("version") not in (None, found := _version(engine.manifest)):
        raise Refusal(404, "unknown_version", f"There is no such version of this model; there is {found}.")


def _head_size(request: Request, most: int) -> int:
    """The bytes of a body that are its JSON; Refusal 400."""
    said = request.headers.get(_HEAD)
    if said is None:
        return most
    if not (said.isascii() and said.isdigit() and len(said) < 10 and int(said) <= most):
        sentence = f"Inference-Header-Content-Length must be a number of bytes, at most the {most} there are."
        raise Refusal(400, "bad_header_length", sentence)
    return int(said)
