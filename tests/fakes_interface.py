"""The HTTP interface in process, and what its refusals must look like."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from runtime.classifier import OnnxClassifier
from runtime.engine import Limits
from service.interface import Interface
from service.models import Models
from service.settings import Settings
from tests.fakes_prober import probing

TEXTS = ["The minister won the election with every vote", "Der Arzt arbeitet seit Jahren in diesem Krankenhaus"]
SWAPS = [{"name": "swaps", "perturbations": ["swap"], "strength": 0.5, "draws": 5}]
SETTINGS = Settings(max_texts=4, max_chars=400, max_probe_texts=6, max_body_bytes=20_000, body_timeout_s=1)


class Client(httpx.AsyncClient):
    """A client in process; the interface ends with it, and the folder goes."""

    def __init__(self, interface: Interface, folder: tempfile.TemporaryDirectory[str]) -> None:
        transport = httpx.ASGITransport(interface, raise_app_exceptions=False)  # type: ignore[arg-type]
        super().__init__(transport=transport, base_url="http://test")
        self.interface = interface
        self._folder = folder

    async def __aexit__(self, *error: Any) -> None:
        await super().__aexit__(*error)
        await asyncio.to_thread(self.interface.close)
        self._folder.cleanup()


def interface(classifier: OnnxClassifier, settings: Settings = SETTINGS) -> Interface:
    """Over one model called keywords, with a prober in a thread of this process."""
    models = Models.over("keywords", classifier, Limits(rows=settings.predict_queue))
    return Interface(settings, models, probing(settings, classifier, models))


def client(classifier: OnnxClassifier, settings: Settings = SETTINGS) -> Client:
    folder = tempfile.TemporaryDirectory(prefix="babelproof-test-")
    if settings.state == Settings().state:
        settings = replace(settings, state=Path(folder.name))
    return Client(interface(classifier, settings), folder)


async def post(http: httpx.AsyncClient, path: str, body: object) -> httpx.Response:
    return await http.post(path, json=body)


def refused(response: httpx.Response, status: int, code: str, *said: str) -> None:
    answer = response.json()
    assert (response.status_code, answer["code"]) == (status, code), answer
    assert set(answer) == {"error", "code", "error_type", "request_id"}
    assert answer["request_id"] == response.headers["X-Request-Id"]
    for part in said:
        assert part in answer["error"]
