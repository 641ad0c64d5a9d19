"""The OpenAPI document of the interface: every route describes itself where it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from service.schemas import ErrorBody

if TYPE_CHECKING:
    from service.routing import Table

_REFUSALS = {
    400: "The body is not JSON in UTF-8.",
    408: "The body came too slowly.",
    413: "Too large, too many or too long.",
    415: "Not sent as application/json.",
    422: "A key or value that is not understood; the sentence names it.",
    429: "Too many requests are waiting; Retry-After says when to come again.",
    500: "The service failed; its log has the request id.",
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


def gives(
    summary: str,
    media_type: str = "application/json",
    *,
    answer: type[BaseModel] | None = None,
    schema: Mapping[str, Any] | None = None,
    refusals: tuple[int, ...] = (),
) -> Operation:
    """A route without a body; `schema` where the answer is not just a model."""
    said = schema if schema is not None else ref(answer) if answer else None
    content = {media_type: {"schema": said} if said else {}}
    responses = {"200": {"description": "It.", "content": content}} | _refused(refusals)
    return Operation({"summary": summary, "responses": responses}, (answer,) if answer else ())


def takes(
    summary: str,
    description: str,
    request: type[BaseModel],
    *answers: type[BaseModel],
    schema: Mapping[str, Any] | None = None,
    headers: Mapping[str, Any] | None = None,
    example: Any = None,
    status: int = 200,
    refusals: tuple[int, ...] = (),
) -> Operation:
    """A route that reads a JSON body; `schema` where the answer is not just the first of `answers`."""
    sent: dict[str, Any] = {"schema": ref(request)} | ({"example": example} if example is not None else {})
    answered: dict[str, Any] = {
        "description": "The answer.",
        "content": {"application/json": {"schema": schema or ref(answers[0])}},
    }
    content = {
        "summary": summary,
        "description": description,
        "requestBody": {"required": True, "content": {"application/json": sent}},
        "responses": {str(status): answered | ({"headers": headers} if headers else {})}
        | _refused((*_REFUSALS, *refusals)),
    }
    return Operation(content, (request, *answers))


def document(version: str, table: Table) -> dict[str, Any]:
    """OpenAPI 3.1 for every route of the interface."""
    operations = [route.said for methods in table.values() for route in methods.values()]
    models = {model: None for said in operations for model in said.models} | {ErrorBody: None}
    _, schemas = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "babelproof", "version": version, "license": {"name": "Apache-2.0"}},
        "paths": {
            path: _named(path) | {method.lower(): dict(route.said.content) for method, route in methods.items()}
            for path, methods in sorted(table.items())
        },
        "components": {"schemas": schemas["$defs"]},
    }


def _refused(statuses: tuple[int, ...]) -> dict[str, Any]:
    error = {"application/json": {"schema": ref(ErrorBody)}}
    said = {404: "There is no such thing.", 401: "No key, or one that is not known.", 409: "It contradicts what is."}
    return {str(status): {"description": (_REFUSALS | said)[status], "content": error} for status in statuses}


def _named(path: str) -> dict[str, Any]:
    """The names in a path, as parameters."""
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    if not names:
        return {}
    string = {"type": "string", "maxLength": 128}
    return {"parameters": [{"name": name, "in": "path", "required": True, "schema": string} for name in names]}
