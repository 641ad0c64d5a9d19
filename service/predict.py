"""From a request to /predict to its answer, in the shapes of its two dialects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runtime.classifier import OnnxClassifier, Prediction
from runtime.tokenization import TooLongError
from service.errors import Refusal
from service.schemas import PredictRequest, Transform
from service.settings import Settings

Scores = list[dict[str, str | float]]


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of an answer, and how many of its inputs were cut."""

    body: Scores | list[Scores]
    truncated: int


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


def predict(request: PredictRequest, classifier: OnnxClassifier) -> Answer:
    """Labels with scores, best first; Refusal 413 for a text that is too long and must not be cut.

    A client of the Hugging Face API always sends `parameters` and expects one list per input, also for a single
    one; a client of text-embeddings-inference sends none and expects a single input's list alone.
    """
    try:
        prediction = classifier.predict(request.inputs, truncate=request.truncate)
    except TooLongError as error:
        where = "inputs" if request.inputs.single else f"inputs[{error.index}]"
        sentence = f"{where} has {error.tokens} tokens; the model takes {error.max_length} unless truncate is true."
        raise Refusal(413, "too_many_tokens", sentence) from None
    function, top_k = _wishes(request)
    order = np.argsort(-prediction.logits, axis=1, kind="stable")[:, :top_k]
    scores = _apply(function, prediction)
    lists = [
        [{"label": classifier.labels[column], "score": float(row[column])} for column in columns]
        for row, columns in zip(scores, order, strict=True)
    ]
    alone = request.inputs.single and request.parameters is None
    return Answer(lists[0] if alone else lists, int(prediction.truncated.sum()))


def _wishes(request: PredictRequest) -> tuple[Transform, int | None]:
    parameters = request.parameters
    function = (parameters and parameters.function_to_apply) or ("none" if request.raw_scores else "softmax")
    return function, request.top_k or (parameters.top_k if parameters else None)


def _apply(function: Transform, prediction: Prediction) -> NDArray[np.float32]:
    if function == "softmax":
        return prediction.probabilities
    if function == "sigmoid":
        # half of tanh is the sigmoid, without overflow
        return (0.5 + 0.5 * np.tanh(prediction.logits / 2)).astype(np.float32)
    return prediction.logits
