"""From a request to /predict to its answer, in the shapes of its two dialects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from probes.types import Item
from runtime.classifier import Prediction
from runtime.engine import Overloaded, TooLargeError
from runtime.tokenization import TooLongError
from service.answers.schemas import PredictRequest, Transform
from service.http.errors import Refusal
from service.settings import Settings

_encode = msgspec.json.Encoder().encode
_BUSY = {
    "queue": "As much as this model holds is waiting already; try again in a moment.",
    "deadline": "The answer would come after the deadline of the request; try again in a moment.",
    "closed": "This model is just being closed; try again in a moment.",
}


@dataclass(slots=True)
class Wanted:
    """What a request to /predict asks for."""

    items: Sequence[Item]
    single: bool
    """Whether the client sent one input, and no list."""
    alone: bool
    """Whether a single input is answered by its list of labels alone.

    A client of the Hugging Face API always sends `parameters` and expects one list per input, also for a single one; a
    client of text-embeddings-inference sends none and expects a single input's list alone.
    """
    function: Transform = "softmax"
    top_k: int | None = None
    truncate: bool = True


def wanted(request: PredictRequest) -> Wanted:
    """What a request asks for."""
    parameters = request.parameters
    function = (parameters and parameters.function_to_apply) or ("none" if request.raw_scores else "softmax")
    top_k = request.top_k or (parameters.top_k if parameters else None)
    single = request.inputs.single
    return Wanted(request.inputs, single, single and parameters is None, function, top_k, request.truncate)


def check_texts(texts: Sequence[str | None], field: str, max_texts: int, max_chars: int) -> None:
    """Refusal when there are too many texts, or one is empty or too long."""
    if len(texts) > max_texts:
        raise Refusal(413, "too_many_texts", f"{field} holds {len(texts)} texts; at most {max_texts} are allowed.")
    for index, text in enumerate(texts):
        if text is None:
            continue
        if not text:
            raise Refusal(422, "empty_text", f"{field}[{index}] is an empty text; send at least one character.")
        if len(text) > max_chars:
            sentence = f"{field}[{index}] has {len(text)} characters; at most {max_chars} are allowed."
            raise Refusal(413, "text_too_long", sentence)


def check(request: PredictRequest, settings: Settings) -> None:
    """Refusal when the request asks for more than the settings allow, or for two things at once."""
    for texts in ([item.text for item in request.inputs], [item.pair for item in request.inputs]):
        check_texts(texts, "inputs", settings.max_texts, settings.max_chars)
    parameters = request.parameters
    if parameters and parameters.top_k and request.top_k and parameters.top_k != request.top_k:
        raise Refusal(422, "contradiction", "top_k and parameters.top_k differ; send one of them.")
    if request.raw_scores and parameters and parameters.function_to_apply not in (None, "none"):
        raise Refusal(422, "contradiction", "raw_scores and parameters.function_to_apply contradict each other.")


def deadline(sent: bytes, begun: float, max_ms: int) -> float:
    """When (time.monotonic) an answer is of no use any more, from the header X-Deadline-Ms; Refusal 422."""
    if not (sent.isdigit() and len(sent) <= 9 and 0 < (ms := int(sent)) <= max_ms):
        said = f"X-Deadline-Ms must be a whole number of milliseconds from 1 to {max_ms}."
        raise Refusal(422, "bad_deadline", said)
    return begun + ms / 1000


def overloaded(full: Overloaded | TooLargeError) -> Refusal:
    """The refusal of an engine: with the time after which it expects to take the request, or for good."""
    if isinstance(full, TooLargeError):
        what = {"rows": "texts, variants included", "tokens": "tokens"}[full.what]
        sentence = f"The request has {full.asked} {what}; this model takes {full.most} at once. Send it in parts."
        return Refusal(413, "request_too_large", sentence)
    wait = max(full.retry_after, 0.001)
    headers = {"Retry-After": str(math.ceil(wait)), "Retry-After-Ms": str(math.ceil(wait * 1000))}
    return Refusal(429, "overloaded", _BUSY[full.reason], headers)


def told(prediction: Prediction) -> dict[str, str]:
    """What the headers of an answer say of it: how many inputs were cut, how long it waited and ran."""
    timing = f"queue;dur={prediction.queue_s * 1000:.2f}, compute;dur={prediction.compute_s * 1000:.2f}"
    return {"X-Truncated": str(int(prediction.truncated.sum())), "Server-Timing": timing}


def too_long(error: TooLongError, single: bool) -> Refusal:
    """The refusal of a text that has too many tokens and must not be cut."""
    where = "inputs" if single else f"inputs[{error.index}]"
    sentence = f"{where} has {error.tokens} tokens; the model takes {error.max_length} unless truncate is true."
    return Refusal(413, "too_many_tokens", sentence)


def render(wish: Wanted, prediction: Prediction, labels: Sequence[str]) -> bytes:
    """Labels with scores, best first, as JSON."""
    order = (-prediction.logits).argsort(1, "stable")[:, : wish.top_k]
    count, width = order.shape
    scores = prediction.probabilities if wish.function == "softmax" else _scores(wish.function, prediction)
    rows = zip(scores.tolist(), order.tolist(), strict=True)
    # one comprehension for all, then cut into rows: one for each row would be one call for each
    named = [{"label": labels[column], "score": row[column]} for row, columns in rows for column in columns]
    if wish.alone:
        return _encode(named)
    return _encode([named[start : start + width] for start in range(0, count * width, width)])


def _scores(function: Transform, prediction: Prediction) -> NDArray[np.float32]:
    if function == "sigmoid":
        # half of tanh is the sigmoid, without overflow
        return (0.5 + 0.5 * np.tanh(prediction.logits / 2)).astype(np.float32)
    return prediction.logits
