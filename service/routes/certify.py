"""Routes that certify: /certify, and the same for each model."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from runtime.engine import Overloaded
from runtime.manifest import ModelFolderError
from runtime.session import BackendError
from runtime.smoothed import SmoothedClassifier
from service.answers import certify
from service.answers.certify import CertifyAnswer, CertifyRequest, Stoppable
from service.answers.lanes import Lane
from service.answers.predict import overloaded
from service.context import Context
from service.http.errors import Refusal
from service.http.exchange import Exchange, Phase
from service.http.openapi import Operation, takes
from service.http.routing import Route, Table
from service.models.folder import Opened

log = logging.getLogger("babelproof.service")
_ABOUT = (
    "Randomized smoothing: copies of a text vote on its label; how many edits (random deletion) or how large a move of "
    "its embeddings (Gaussian noise) provably leave that label the likeliest. Runs at low priority."
)


class Certify:
    """Certified radii of texts a client sends."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lane = Lane("certify", threads=1, capacity=context.settings.certify_queue, retry_after_s=5)
        self._smoothed: dict[str, SmoothedClassifier] = {}
        """The graphs for noisy passes of each model, opened when they are first asked for."""

    def routes(self) -> Table:
        return {
            "/certify": {"POST": Route(self._certify, _said("Certify labels of texts"))},
            "/models/{name}/certify": {"POST": Route(self._certify, _said("Certify labels by one of several models"))},
        }

    def close(self) -> None:
        self._lane.close()

    async def _certify(self, request: Request) -> Response:
        context, exchange = self._context, request.scope["exchange"]
        served = context.models.served(request.path_params.get("name"))
        asked = await context.read(request, CertifyRequest)
        certify.check(asked, context.settings)
        with served.pinned() as active:  # one model votes, however long it takes
            if asked.kind == "gaussian" and active.engine.manifest.smoothing is None:
                sentence = "This model was not trained with smoothing, so it has no graphs for noise; take deletion."
                raise Refusal(422, "not_smoothed", sentence)
            with context.spending(request, len(asked.texts) * (asked.n0 + asked.n)):
                answer = await self._run(exchange, served.name, active, asked)
        context.metrics.classified(exchange.route, len(asked.texts), 0)
        return JSONResponse(answer.model_dump())

    async def _run(self, exchange: Exchange, name: str, active: Opened, asked: CertifyRequest) -> CertifyAnswer:
        """The answer, when its turn has come; Refusal 429 or 503."""
        until = exchange.begun + (asked.deadline_ms or self._context.settings.default_deadline_ms) / 1000
        stoppable = Stoppable(active.engine, until)
        exchange.watch(Phase.ANSWER)
        try:
            return await self._lane.run(lambda: self._answer(name, active, asked, stoppable))
        except Overloaded as closing:
            raise overloaded(closing) from None
        except asyncio.CancelledError:  # the client has left
            stoppable.gone.set()
            raise
        finally:
            exchange.phase = Phase.UNWATCHED

    def _answer(self, name: str, active: Opened, asked: CertifyRequest, stoppable: Stoppable) -> CertifyAnswer:
        begun, smoothing = time.monotonic(), active.engine.manifest.smoothing
        seed = secrets.randbelow(certify.MOST_SEED) if asked.seed is None else asked.seed
        sigma = (asked.sigma or smoothing.sigma) if smoothing and asked.kind == "gaussian" else None
        if sigma is None:
            found = certify.certificates(asked, partial(certify.by_deletion, stoppable, asked, seed))
        else:
            smoothed = self._opened(name, active)
            found = certify.certificates(asked, partial(certify.by_noise, stoppable, asked, seed, smoothed, sigma))
        return CertifyAnswer(
            model=active.place.sha256,
            kind=asked.kind,
            n0=asked.n0,
            n=asked.n,
            alpha=asked.alpha,
            seed=seed,
            deletion=asked.deletion if sigma is None else None,
            sigma=sigma,
            ceiling=certify.ceiling(asked, sigma or 0.0),
            truncated=any(one.status == "unreached" for one in found),
            elapsed_ms=round((time.monotonic() - begun) * 1000),
            certificates=found,
        )

    def _opened(self, name: str, active: Opened) -> SmoothedClassifier:
        """The graphs of the model that is active; Refusal 503 while its folder is being exchanged."""
        known = self._smoothed.get(name)
        if known is None or known.manifest.sha256 != active.place.sha256:
            try:
                known = SmoothedClassifier(active.place.folder, threads=1)
            except (ModelFolderError, BackendError, OSError) as error:
                log.warning("%s: the graphs for noisy passes cannot be opened: %s", name, error)
                known = None
            if known is None or known.manifest.sha256 != active.place.sha256:
                raise Refusal(503, "model_unavailable", "The model's folder is being exchanged.", {"Retry-After": "1"})
            self._smoothed[name] = known
        return known


def _said(summary: str) -> Operation:
    return takes(
        summary,
        _ABOUT,
        CertifyRequest,
        CertifyAnswer,
        example={"texts": ["The match ended in a draw."], "n": 200, "deletion": 0.8},
    )
