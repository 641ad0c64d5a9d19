"""Reading a request's body: bounded, UTF-8, JSON, whole characters; anything else is refused in one sentence."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from starlette.requests import ClientDisconnect, Request

from service.http.errors import Refusal

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


async def read_object(request: Request, *, max_bytes: int, timeout_s: float) -> dict[str, Any]:
    """The JSON object a client sent; Refusal 400, 408, 413 or 415 otherwise."""
    return as_object(await read_json(request, max_bytes=max_bytes, timeout_s=timeout_s))


async def read_json(request: Request, *, max_bytes: int, timeout_s: float) -> bytes:
    """A body that is said to be JSON, as it was sent; Refusal 400, 408, 413 or 415 otherwise."""
    if media_type(request) != "application/json":
        raise Refusal(415, "not_json", "Send the request with the header Content-Type: application/json.")
    return await read_bytes(request, max_bytes=max_bytes, timeout_s=timeout_s)


def media_type(request: Request) -> str:
    """What the body is said to be, without parameters; empty where nothing is said."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


async def read_bytes(request: Request, *, max_bytes: int, timeout_s: float) -> bytes:
    """The body as it was sent; Refusal 400, 408, 413 or 415 otherwise."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Refusal(415, "encoded_body", "Send the body without Content-Encoding.")
    return await _read(request, max_bytes, timeout_s)


def as_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; Refusal 400 or 422 otherwise."""
    document = _parse(body)
    if not isinstance(document, dict):
        raise Refusal(422, "not_an_object", f"The body must be a JSON object, not {_kind(document)}.")
    return document


async def _read(request: Request, max_bytes: int, timeout_s: float) -> bytes:
    too_large = Refusal(413, "body_too_large", f"The body is larger than the {max_bytes} bytes allowed.")
    announced = request.headers.get("content-length", "0")
    if not announced.isascii() or not announced.isdigit() or len(announced) > 18:
        raise Refusal(400, "bad_content_length", "The Content-Length header is not a number of bytes.")
    if int(announced) > max_bytes:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > max_bytes:
                    raise too_large
    except TimeoutError:
        raise Refusal(408, "body_too_slow", f"The body did not arrive within {timeout_s:g} seconds.") from None
    except ClientDisconnect:
        raise Refusal(400, "disconnected", "The connection was closed before the body was complete.") from None
    return bytes(body)


def _parse(body: bytes) -> Any:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refusal(400, "not_utf8", f"The body is not UTF-8: byte {error.start} starts no character.") from None
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
        broken = next(_broken(document, ""), None) if _SURROGATE_ESCAPE.search(text) else None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Refusal(400, "malformed_json", f"The body is not JSON: {error.msg} at {where}.") from None
    except RecursionError:
        raise Refusal(400, "nested_too_deep", "The JSON is nested too deep.") from None
    except ValueError:
        raise Refusal(400, "number_too_large", "The JSON holds a number with too many digits.") from None
    if broken is not None:
        sentence = f"{broken} holds half of a surrogate pair (such as \\ud800); send whole characters."
        raise Refusal(400, "lone_surrogate", sentence)
    return document


def _broken(value: Any, path: str) -> Iterator[str]:
    """Paths of the strings that hold a lone surrogate."""
    if isinstance(value, str):
        if _LONE_SURROGATE.search(value):
            yield path
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from _broken(element, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, element in value.items():
            if _LONE_SURROGATE.search(key):
                yield "A key"
            yield from _broken(element, f"{path}.{key}" if path else key)


def _refuse_constant(name: str) -> NoReturn:
    raise Refusal(400, "not_a_json_number", f"{name} is not a JSON number.")


def _kind(value: object) -> str:
    names = {type(None): "null", bool: "true or false", int: "a number", float: "a number", str: "a string"}
    return names.get(type(value), "a list")
