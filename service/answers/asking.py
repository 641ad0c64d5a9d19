"""Asking an engine off the hot route: the request's deadline, a client that may leave, refusals of the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from probes.types import Item
from runtime.classifier import Prediction
from runtime.engine import Engine, Overloaded, TooLargeError
from runtime.tokenization import TooLongError
from service.answers.predict import Wanted, deadline, overloaded, render, told, too_long
from service.answers.robustness import Drawn, Wish, cards, draw
from service.context import Context
from service.http.exchange import Exchange, Phase


async def answered(
    context: Context, request: Request, items: Sequence[Item], *, texts: int, truncate: bool = True
) -> tuple[Prediction, Engine]:
    """What the model of the path answers to items, the first `texts` of them the client's, and the engine that did.

    Refusal 413, 422, 429; TooLongError.
    """
    exchange: Exchange = request.scope["exchange"]
    due = exchange.headers.get(b"x-deadline-ms")
    until = None if due is None else deadline(due, exchange.begun, context.settings.max_deadline_ms)
    name = request.path_params.get("name")
    with context.spending(request, len(items)):
        exchange.watch(Phase.ANSWER)
        try:
            prediction, engine = await context.models.predict(name, items, deadline=until, truncate=truncate)
        except (Overloaded, TooLargeError) as full:
            raise overloaded(full) from None
        finally:
            exchange.phase = Phase.UNWATCHED
    context.metrics.classified(exchange.route, texts, int(prediction.truncated[:texts].sum()))
    return prediction, engine


async def robust(context: Context, request: Request, asked: Wanted, wish: Wish) -> tuple[Response, Prediction]:
    """The answer of /predict with a card for every input, and its predictions alone; all rows are one request."""
    count, drawing = len(asked.items), context.models.get(request.path_params.get("name"))
    try:
        drawn = await asyncio.to_thread(_drawn, drawing, asked, wish)
    except TooLongError as error:
        raise too_long(error, asked.single) from None
    rows = [*asked.items, *(variant.item for one in drawn for variant in one.variants)]
    whole, engine = await answered(context, request, rows, texts=count)
    clean = replace(
        whole,
        logits=whole.logits[:count],
        probabilities=whole.probabilities[:count],
        truncated=whole.truncated[:count],
    )
    found = [card.model_dump() for card in cards(drawn, whole.probabilities, engine.labels, wish.seed)]
    body = {"predictions": msgspec.Raw(render(asked, clean, engine.labels)), "robustness": found}
    return Response(msgspec.json.encode(body), media_type="application/json", headers=told(clean)), clean


def _drawn(engine: Engine, asked: Wanted, wish: Wish) -> list[Drawn]:
    if not asked.truncate:  # of the inputs; a variant may have a token more than its text, and is cut
        engine.classifier.tokenize(asked.items, truncate=False)
    return draw(asked.items, wish, engine.manifest.max_length)
