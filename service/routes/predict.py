"""Routes that classify: /predict, its twin at /, the same for each model, and /detect."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from probes import languages
from probes.detect import detect
from runtime.classifier import Prediction
from runtime.engine import Overloaded, TooLargeError
from runtime.tokenization import TooLongError
from service.answers.asking import robust
from service.answers.lanes import Lane
from service.answers.plain import reader
from service.answers.predict import Wanted, check, check_texts, deadline, overloaded, render, told, too_long, wanted
from service.answers.robustness import QUERY, RobustAnswer, Wish
from service.answers.schemas import Detected, DetectRequest, LabelScore, PredictRequest
from service.context import Context
from service.http.exchange import Exchange, Phase
from service.http.openapi import DEADLINE, listed, ref, takes
from service.http.routing import Route, Table

log = logging.getLogger("babelproof.service")
_PREDICTED = {
    "description": "Labels and scores, best first: one list for a single input sent without `parameters`, "
    "else one list per input; with `robustness` both, and a card for each input.",
    "oneOf": [listed(LabelScore), {"type": "array", "items": listed(LabelScore)}, ref(RobustAnswer)],
}
_TRUNCATED = {
    "X-Truncated": {"description": "How many inputs were cut.", "schema": {"type": "integer"}},
    "Server-Timing": {"description": "Milliseconds in the queue and in the model.", "schema": {"type": "string"}},
}
_JSON = (b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8")


class Predict:
    """Labels and languages of texts."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._read = reader(context.settings)
        self._detector = Lane("detect", threads=1, capacity=64, retry_after_s=1)

    def routes(self) -> Table:
        said = takes(
            "Classify texts",
            "The Hugging Face text-classification API and that of text-embeddings-inference.",
            PredictRequest,
            LabelScore,
            RobustAnswer,
            schema=_PREDICTED,
            headers=_TRUNCATED,
            parameters=(*QUERY, DEADLINE),
            example={"inputs": "The match ended in a draw."},
        )
        named = takes(
            "Classify texts with one of several models",
            "As /predict, which asks the first of them.",
            PredictRequest,
            LabelScore,
            RobustAnswer,
            schema=_PREDICTED,
            headers=_TRUNCATED,
            parameters=(*QUERY, DEADLINE),
            example={"inputs": "The match ended in a draw."},
            refusals=(404,),
        )
        detected = takes(
            "Detect languages",
            "Offline.",
            DetectRequest,
            Detected,
            schema=listed(Detected),
            example={"texts": ["Das Spiel endete unentschieden."]},
        )
        predict = Route(self._predict, said, fast=self._fast)
        return {
            "/": {"POST": predict},
            "/predict": {"POST": predict},
            "/models/{name}/predict": {"POST": Route(self._predict, named, fast=self._fast)},
            "/detect": {"POST": Route(self._detect, detected)},
        }

    def close(self) -> None:
        self._detector.close()

    async def _fast(self, exchange: Exchange, names: Mapping[str, str]) -> bool:
        """Answer a plain request, in as few calls as can be: tests/test_hot_route.py counts them."""
        headers = exchange.headers
        if (
            b"content-type" not in headers
            or headers[b"content-type"] not in _JSON
            or b"content-encoding" in headers
            or exchange.scope["query_string"]
            or (names and names["name"] not in self._context.models.names)
        ):
            return False
        body = await exchange.body(self._context.settings.max_body_bytes)
        if body is None:
            return False
        wish = self._read(body)
        if wish is None:
            exchange.unread(body)
            return False
        name = names["name"] if names else None
        answer, prediction, cut = await self._answer(exchange, name, wish)
        timing = b"queue;dur=%.2f, compute;dur=%.2f" % (prediction.queue_s * 1000, prediction.compute_s * 1000)
        await exchange.reply(200, ((b"x-truncated", b"%d" % cut), (b"server-timing", timing)), answer)
        if self._context.observers:
            self._observed(name, wish, prediction)
        return True

    async def _predict(self, request: Request) -> Response:
        context, name = self._context, request.path_params.get("name")
        context.models.served(name)
        asked = await context.read(request, PredictRequest)
        check(asked, context.settings)
        wish = wanted(asked)
        if card := Wish.of(request.query_params, len(wish.items), context.settings.max_robustness_rows):
            response, prediction = await robust(context, request, wish, card)
            self._observed(name, wish, prediction)
            return response
        answer, prediction, _ = await self._answer(request.scope["exchange"], name, wish)
        self._observed(name, wish, prediction)
        return Response(answer, media_type="application/json", headers=told(prediction))

    async def _answer(self, exchange: Exchange, name: str | None, wish: Wanted) -> tuple[bytes, Prediction, int]:
        """The answer, what it was made of, and how many of its inputs were cut."""
        context, count = self._context, len(wish.items)
        until = None
        if b"x-deadline-ms" in exchange.headers:
            until = deadline(exchange.headers[b"x-deadline-ms"], exchange.begun, context.settings.max_deadline_ms)
        if exchange.client is not None:
            context.access.spend(exchange.client, count)
        if exchange.task is None:
            exchange.watch(Phase.ANSWER)
        exchange.phase = Phase.ANSWER
        try:
            prediction, engine = await context.models.predict(name, wish.items, deadline=until, truncate=wish.truncate)
        except TooLongError as error:
            raise too_long(error, wish.single) from None
        except (Overloaded, TooLargeError) as full:
            context.access.spend(exchange.client, -count)
            raise overloaded(full) from None
        finally:
            exchange.phase = Phase.UNWATCHED
        cut = prediction.truncated.tolist().count(True)
        context.metrics.classified(exchange.route, count, cut)
        return render(wish, prediction, engine.labels), prediction, cut

    def _observed(self, name: str | None, wish: Wanted, prediction: Prediction) -> None:
        for observe in self._context.observers:
            try:
                observe(name or self._context.models.default, wish.items, prediction)
            except Exception as error:  # nobody's answer depends on it
                log.error("an observer failed with %s", type(error).__name__)

    async def _detect(self, request: Request) -> Response:
        settings = self._context.settings
        asked = await self._context.read(request, DetectRequest)
        check_texts(asked.texts, "texts", settings.max_texts, settings.max_chars)
        with self._context.spending(request, len(asked.texts)):
            found = await self._detector.run(lambda: [detect(text) for text in asked.texts])
        return JSONResponse(
            [{"lang": lang, "name": languages.get(lang).name, "confidence": round(sure, 4)} for lang, sure in found]
        )
