"""The OpenAPI document of the interface, made from the schemas it parses requests with."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from service.schemas import Detected, DetectRequest, ErrorBody, LabelScore, PredictRequest, ProbeAnswer, ProbeRequest

_MODELS: tuple[type[BaseModel], ...] = (
    PredictRequest,
    LabelScore,
    DetectRequest,
    Detected,
    ProbeRequest,
    ProbeAnswer,
    ErrorBody,
)
_REFUSALS = {
    400: "The body is not JSON in UTF-8.",
    408: "The body came too slowly.",
    413: "Too large, too many or too long.",
    415: "Not sent as application/json.",
    422: "A key or value that is not understood; the sentence names it.",
    429: "Too many requests are waiting; Retry-After says when to come again.",
    500: "The service failed; its log has the request id.",
}
_SCORES = {"type": "array", "items": {"$ref": "#/components/schemas/LabelScore"}}
_PREDICTED = {
    "description": "Labels and scores, best first: one list for a single input sent without `parameters`, "
    "else one list per input.",
    "oneOf": [_SCORES, {"type": "array", "items": _SCORES}],
}
_TRUNCATED = {"X-Truncated": {"description": "How many inputs were cut.", "schema": {"type": "integer"}}}


def document(version: str) -> dict[str, Any]:
    """OpenAPI 3.1 for every route of the interface."""
    _, schemas = models_json_schema(
        [(model, "validation") for model in _MODELS], ref_template="#/components/schemas/{model}"
    )
    predict = _post(
        "Classify texts",
        "The Hugging Face text-classification API and that of text-embeddings-inference.",
        "PredictRequest",
        _PREDICTED,
        _TRUNCATED,
    )
    probe = _post(
        "Find the small changes that flip labels",
        "Runs a battery of probes over the served model; rows per language and step, with 95 % intervals.",
        "ProbeRequest",
        {"$ref": "#/components/schemas/ProbeAnswer"},
    )
    detected = {"type": "array", "items": {"$ref": "#/components/schemas/Detected"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "babelproof", "version": version, "license": {"name": "Apache-2.0"}},
        "paths": {
            "/": {"get": _get("The page", "text/html"), "post": predict},
            "/predict": {"post": predict},
            "/probe": {"post": probe},
            "/detect": {"post": _post("Detect languages", "Offline.", "DetectRequest", detected)},
            "/about": {"get": _get("The model, its languages, the limits, the batteries, versions")},
            "/demo.json": {"get": _get("The demo sentences")},
            "/livez": {"get": _get("Whether the process answers")},
            "/readyz": {"get": _get("Whether the model is loaded")},
            "/health": {"get": _get("The same")},
            "/metrics": {"get": _get("Prometheus metrics", "text/plain")},
            "/openapi.json": {"get": _get("This document")},
            **{
                f"/static/{name}.js": {"get": _get("A script of the page", "text/javascript")}
                for name in ("app", "dom", "report", "variants")
            },
            "/static/style.css": {"get": _get("The page's style", "text/css")},
            "/static/icon.svg": {"get": _get("The page's icon", "image/svg+xml")},
        },
        "components": {"schemas": schemas["$defs"]},
    }


def _get(summary: str, media_type: str = "application/json") -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": {"description": "It.", "content": {media_type: {}}}}}


def _post(
    summary: str, description: str, request: str, answer: dict[str, Any], headers: dict[str, Any] | None = None
) -> dict[str, Any]:
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
    body = {"application/json": {"schema": {"$ref": f"#/components/schemas/{request}"}}}
    answered = {"description": "The answer.", "content": {"application/json": {"schema": answer}}}
    return {
        "summary": summary,
        "description": description,
        "requestBody": {"required": True, "content": body},
        "responses": {"200": answered | ({"headers": headers} if headers else {})}
        | {str(status): {"description": said, "content": error} for status, said in _REFUSALS.items()},
    }
