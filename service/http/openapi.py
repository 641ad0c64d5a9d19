"""The OpenAPI document: every route describes itself where it is made; examples are answers that it gave."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from service.answers.schemas import ErrorBody

if TYPE_CHECKING:
    from service.http.routing import Route, Table

EXAMPLES = Path(__file__).parent / "examples.json"
"""An answer of each route, by method and path; `python -m tests.record_examples` writes them."""
_REFUSALS = {
    400: "The request is not HTTP, or its body not JSON in UTF-8.",
    401: "No key, or one that is not known.",
    403: "The key may not do this.",
    404: "There is no such thing.",
    408: "The request came too slowly.",
    409: "It contradicts what is.",
    413: "Too large, too many or too long.",
    415: "Not sent as application/json.",
    422: "A key or value that is not understood; the sentence names it.",
    429: "Too many requests are waiting, or a key has used up what it may; Retry-After says when to come again.",
    431: "The head of the request is too large.",
    500: "The service failed; its log has the request id.",
    503: "Not just now: it is starting, ending or full, or a part of it is away.",
}
_ALWAYS = (400, 408, 431, 500, 503)
_KEYED = (401, 403, 429)
"""What any route may answer that needs a key where there are keys."""
_READING = (413, 415, 422, 429)
_WAIT = {"Retry-After": {"description": "Seconds.", "schema": {"type": "string", "pattern": "^[0-9]+$"}}}
_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}

DEADLINE = {
    "name": "X-Deadline-Ms",
    "in": "header",
    "description": "Milliseconds after which the answer is of no use; refused at once (429) where it would come later.",
    "schema": {"type": "integer", "minimum": 1},
}


@dataclass(frozen=True, slots=True)
class Operation:
    """What the document says of one route, and the models it names."""

    content: Mapping[str, Any]
    models: tuple[type[BaseModel], ...] = ()


def ref(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of a model, by name."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def listed(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of a list of them."""
    return {"type": "array", "items": ref(model)}


def asked(name: str, description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter that may stand in the query of a request."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


def gives(
    summary: str,
    media_type: str = "application/json",
    *,
    answer: type[BaseModel] | None = None,
    schema: Mapping[str, Any] | None = None,
    parameters: Iterable[Mapping[str, Any]] = (),
    kinds: tuple[str, ...] = (),
    also: Mapping[int, str] | None = None,
    refusals: tuple[int, ...] = (),
) -> Operation:
    """A route without a body; `schema` where the answer is not just a model, `kinds` that it may have beside its own.

    `also` are empty answers, by status.
    """
    said = schema if schema is not None else ref(answer) if answer else None
    content: dict[str, Any] = {media_type: {"schema": said} if said else {}} | {kind: {} for kind in kinds}
    empty = {str(status): {"description": what} for status, what in (also or {}).items()}
    responses = {"200": {"description": "It.", "content": content}} | empty | _refused(refusals)
    return Operation(
        {"summary": summary, **_parameters(parameters), "responses": responses}, (answer,) if answer else ()
    )


def takes(
    summary: str,
    description: str,
    request: type[BaseModel],
    *answers: type[BaseModel],
    schema: Mapping[str, Any] | None = None,
    headers: Mapping[str, Any] | None = None,
    parameters: Iterable[Mapping[str, Any]] = (),
    example: Any = None,
    kinds: tuple[str, ...] = (),
    statuses: tuple[int, ...] = (200,),
    refusals: tuple[int, ...] = (),
) -> Operation:
    """A route that reads a JSON body; `schema` where the answer is not just the first of `answers`."""
    sent: dict[str, Any] = {"schema": ref(request)} | ({"example": example} if example is not None else {})
    answered: dict[str, Any] = {
        "description": "The answer.",
        "content": {"application/json": {"schema": schema or ref(answers[0])}} | {kind: {} for kind in kinds},
    } | ({"headers": headers} if headers else {})
    content = {
        "summary": summary,
        "description": description,
        **_parameters(parameters),
        "requestBody": {"required": True, "content": {"application/json": sent}},
        "responses": {str(status): answered for status in statuses} | _refused((*_READING, *refusals)),
    }
    return Operation(content, (request, *answers))


def document(version: str, table: Table) -> dict[str, Any]:
    """OpenAPI 3.1 for every route of the interface."""
    operations = [route.said for methods in table.values() for route in methods.values()]
    models = {model: None for said in operations for model in said.models} | {ErrorBody: None}
    _, schemas = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    paths = {
        path: _named(path) | {method.lower(): _operation(method, path, route) for method, route in methods.items()}
        for path, methods in sorted(table.items())
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "babelproof", "version": version, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "responses": {str(status): _response(status) for status in _REFUSALS},
            "securitySchemes": _SCHEMES,
        },
    }


def _operation(method: str, path: str, route: Route) -> dict[str, Any]:
    """What a route says of itself, with what is true of every route, and with the answer it once gave."""
    keyed = route.needs != "nothing"
    said = dict(route.said.content)
    responses = said["responses"] | _refused((*_ALWAYS, *(_KEYED if keyed else ()), *((404,) if "{" in path else ())))
    said["responses"] = {status: _exemplified(responses[status], f"{method} {path}") for status in sorted(responses)}
    # without a file of keys none is asked for
    return said | ({"security": [{}, *({name: []} for name in _SCHEMES)]} if keyed else {})


def _exemplified(response: Mapping[str, Any], route: str) -> dict[str, Any]:
    example = _examples().get(route)
    if "content" not in response or example is None:
        return dict(response)
    kind, content = next(iter(response["content"].items()))
    return {**response, "content": {**response["content"], kind: {**content, "example": example}}}


@functools.cache
def _examples() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    return found


def _refused(statuses: Iterable[int]) -> dict[str, Any]:
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def _response(status: int) -> dict[str, Any]:
    content = {"application/json": {"schema": ref(ErrorBody)}}
    said = {"description": _REFUSALS[status], "content": content}
    return said | ({"headers": _WAIT} if status == 429 else {})


def _parameters(parameters: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {"parameters": list(parameters)} if parameters else {}


def _named(path: str) -> dict[str, Any]:
    """The names in a path, as parameters."""
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    if not names:
        return {}
    string = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[^/]+$"}
    return {"parameters": [{"name": name, "in": "path", "required": True, "schema": string} for name in names]}
