"""Routes that classify: /predict, its twin at /, and /detect."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from probes import languages
from probes.detect import detect
from service.context import Context
from service.lanes import Lane
from service.openapi import listed, takes
from service.predict import check, check_texts, predict
from service.routing import Route, Table
from service.schemas import Detected, DetectRequest, LabelScore, PredictRequest

_PREDICTED = {
    "description": "Labels and scores, best first: one list for a single input sent without `parameters`, "
    "else one list per input.",
    "oneOf": [listed(LabelScore), {"type": "array", "items": listed(LabelScore)}],
}
_TRUNCATED = {"X-Truncated": {"description": "How many inputs were cut.", "schema": {"type": "integer"}}}


class Predict:
    """Labels and languages of texts."""

    def __init__(self, context: Context) -> None:
        self._context = context
        # two threads: one tokenises while the other's session run has the cores
        self._lane = Lane("predict", threads=2, capacity=context.settings.predict_queue, retry_after_s=1)

    def routes(self) -> Table:
        predict = Route(
            self._predict,
            takes(
                "Classify texts",
                "The Hugging Face text-classification API and that of text-embeddings-inference.",
                PredictRequest,
                LabelScore,
                schema=_PREDICTED,
                headers=_TRUNCATED,
                example={"inputs": "The match ended in a draw."},
            ),
        )
        detected = takes(
            "Detect languages",
            "Offline.",
            DetectRequest,
            Detected,
            schema=listed(Detected),
            example={"texts": ["Das Spiel endete unentschieden."]},
        )
        return {
            "/": {"POST": predict},
            "/predict": {"POST": predict},
            "/detect": {"POST": Route(self._detect, detected)},
        }

    def close(self) -> None:
        self._lane.close()

    async def _predict(self, request: Request) -> Response:
        context = self._context
        wanted = await context.read(request, PredictRequest)
        check(wanted, context.settings)
        answer = await self._lane.run(lambda: predict(wanted, context.classifier))
        context.metrics.texts.labels("/predict").inc(len(wanted.inputs))
        context.metrics.truncated.inc(answer.truncated)
        return JSONResponse(answer.body, headers={"X-Truncated": str(answer.truncated)})

    async def _detect(self, request: Request) -> Response:
        settings = self._context.settings
        wanted = await self._context.read(request, DetectRequest)
        check_texts(wanted.texts, "texts", settings.max_texts, settings.max_chars)
        found = await self._lane.run(lambda: [detect(text) for text in wanted.texts])
        return JSONResponse(
            [{"lang": lang, "name": languages.get(lang).name, "confidence": round(sure, 4)} for lang, sure in found]
        )
