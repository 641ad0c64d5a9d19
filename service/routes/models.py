"""Routes about the models that are served: what each is, going back, promoting a candidate, how its shadow does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from probes.types import Item
from runtime.classifier import Prediction
from service.context import Context
from service.http.errors import Refusal
from service.http.openapi import gives
from service.http.routing import Route, Table
from service.models import Served
from service.models.folder import Opened
from service.models.shadow import Shadow
from service.routes.facts import describe


class Told(BaseModel):
    """A model that is open."""

    name: str
    sha256: str
    task: str
    pairs: bool
    labels: list[str]
    languages: list[str]
    max_length: int
    encoder: str
    licence: str
    precision: str
    backend: str


class ServedModel(BaseModel):
    """A served model by name; `previous` is what a rollback would serve, `refused` why a folder is not taken."""

    name: str
    default: bool
    active: Told
    since: str
    previous: str | None
    candidate: Told | None
    refused: dict[str, str]
    swaps: dict[str, int]


class AllModels(BaseModel):
    """Every served model."""

    models: list[ServedModel]


class LanguageShadow(BaseModel):
    """Where candidate and model part on the texts of one language, or of all; rates in 0..1.

    `low` to `high` holds the true rate with the confidence named, however often one looks; `margin_change` is the mean
    of what the candidate's margin (best probability less the second) is above the model's, with its 95 % interval.
    """

    lang: str
    n: int
    disagreements: int
    rate: float | None
    low: float
    high: float
    verdict: str
    margin_change: float | None
    margin_low: float | None
    margin_high: float | None
    flow: list[dict[str, Any]]


class ShadowReport(BaseModel):
    """What is known of the candidate so far, of all workers together; `same` and `different` are verdicts that stay."""

    active: str
    candidate: str
    tolerated: float
    confidence: float
    overall: LanguageShadow
    languages: list[LanguageShadow]


class ModelRoutes:
    """The models by name."""

    def __init__(self, context: Context) -> None:
        self._models = context.models
        self._shadows = {
            name: Shadow(self._models.served(name), context.settings)
            for name in self._models.names
            if self._models.served(name).shadowed
        }
        if self._shadows:
            context.observers.append(self._offer)

    def routes(self) -> Table:
        one = gives("A model: what is active, previous, a candidate", answer=ServedModel, refusals=(404,))
        back = gives("Serve the model before this one again", answer=ServedModel, refusals=(404, 409, 503))
        forth = gives("Serve the candidate", answer=ServedModel, refusals=(404, 409, 503))
        seen = gives("Where candidate and model part, by language", answer=ShadowReport, refusals=(404, 409))
        return {
            "/models": {"GET": Route(self._all, gives("The models that are served", answer=AllModels))},
            "/models/{name}": {"GET": Route(self._one, one)},
            "/models/{name}/rollback": {"POST": Route(self._rollback, back, "admin")},
            "/models/{name}/promote": {"POST": Route(self._promote, forth, "admin")},
            "/models/{name}/shadow": {"GET": Route(self._shadow, seen)},
        }

    def close(self) -> None:
        for shadow in self._shadows.values():
            shadow.close()

    def _offer(self, name: str, items: Sequence[Item], prediction: Prediction) -> None:
        if (shadow := self._shadows.get(name)) is not None:
            shadow.offer(items, prediction)

    async def _all(self, request: Request) -> Response:
        return JSONResponse({"models": [self._said(self._models.served(name)) for name in self._models.names]})

    async def _one(self, request: Request) -> Response:
        return JSONResponse(self._said(self._named(request)))

    async def _rollback(self, request: Request) -> Response:
        return await self._changed(request, Served.rollback)

    async def _promote(self, request: Request) -> Response:
        return await self._changed(request, Served.promote)

    async def _changed(self, request: Request, change: Callable[[Served], None]) -> Response:
        served = self._named(request)
        await asyncio.to_thread(change, served)
        return JSONResponse(self._said(served))

    async def _shadow(self, request: Request) -> Response:
        served = self._named(request)
        shadow = self._shadows.get(served.name)
        if shadow is None:
            raise Refusal(409, "no_candidate", "This model has no candidate; BABELPROOF_SHADOW names one.")
        return JSONResponse(await asyncio.to_thread(shadow.report))

    def _named(self, request: Request) -> Served:
        return self._models.served(request.path_params["name"])

    def _said(self, served: Served) -> dict[str, Any]:
        slots = served.slots
        return {
            "name": served.name,
            "default": served.name == self._models.default,
            "active": _open(served, slots.active),
            "since": datetime.fromtimestamp(slots.since, UTC).isoformat(timespec="milliseconds"),
            "previous": served.previous.sha256 if served.previous else None,
            "candidate": _open(served, slots.candidate) if slots.candidate else None,
            "refused": dict(served.refused),
            "swaps": dict(served.swaps),
        }


def _open(served: Served, opened: Opened) -> dict[str, Any]:
    return describe(served.name, opened.engine.classifier)
