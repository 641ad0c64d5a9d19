"""The plain requests to /predict, decoded and checked in one call; what is not plain is read, and refused, in words.

This decoder takes no request that `schemas.PredictRequest` and `predict.check` would not take, in the same sense.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from probes.types import Item
from service.answers.predict import Wanted
from service.answers.schemas import Transform
from service.settings import Settings

_TopK = Annotated[int, Meta(ge=1)]


class _Parameters(Struct, forbid_unknown_fields=True):
    top_k: _TopK | None = None
    function_to_apply: Transform | None = None


class _Options(Struct, forbid_unknown_fields=True):
    use_cache: bool | None = None
    wait_for_model: bool | None = None


class _Request(Struct, forbid_unknown_fields=True):
    inputs: str | list[str | list[str]]
    parameters: _Parameters | None = None
    options: _Options | None = None
    top_k: _TopK | None = None
    raw_scores: bool = False
    truncate: bool = True
    truncation_direction: Literal["right", "Right"] = "right"


def reader(settings: Settings) -> Callable[[bytes], Wanted | None]:
    """A function from a body to what it asks for; None where it is not plain."""
    text = Annotated[str, Meta(min_length=1, max_length=settings.max_chars)]
    one = Annotated[list[text], Meta(min_length=1, max_length=2)]
    several = Annotated[list[text | one], Meta(min_length=1, max_length=settings.max_texts)]
    request = msgspec.defstruct("Request", [("inputs", text | several)], bases=(_Request,), forbid_unknown_fields=True)
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(request).decode

    def read(body: bytes) -> Wanted | None:
        try:
            found: _Request = decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        inputs, parameters = found.inputs, found.parameters
        if type(inputs) is str:
            items, single = [Item(inputs)], True
        else:
            items, single = [Item(one) if type(one) is str else Item(*one) for one in inputs], False
        function: Transform = "none" if found.raw_scores else "softmax"
        if parameters is None:
            return Wanted(items, single, single, function, found.top_k, found.truncate)
        if (found.raw_scores and parameters.function_to_apply) or (found.top_k and parameters.top_k):
            return None
        top_k = found.top_k or parameters.top_k
        return Wanted(items, single, False, parameters.function_to_apply or function, top_k, found.truncate)

    return read
