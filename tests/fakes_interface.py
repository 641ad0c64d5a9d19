"""The HTTP interface in process, and what its refusals must look like."""

from __future__ import annotations

import httpx

from runtime.classifier import OnnxClassifier
from service.interface import Interface
from service.settings import Settings

TEXTS = ["The minister won the election with every vote", "Der Arzt arbeitet seit Jahren in diesem Krankenhaus"]
SWAPS = [{"name": "swaps", "perturbations": ["swap"], "strength": 0.5, "draws": 5}]
SETTINGS = Settings(max_texts=4, max_chars=400, max_probe_texts=6, max_body_bytes=20_000, body_timeout_s=1)


def client(classifier: OnnxClassifier, settings: Settings = SETTINGS) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(Interface(settings, classifier), raise_app_exceptions=False)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def post(http: httpx.AsyncClient, path: str, body: object) -> httpx.Response:
    return await http.post(path, json=body)


def refused(response: httpx.Response, status: int, code: str, *said: str) -> None:
    answer = response.json()
    assert (response.status_code, answer["code"]) == (status, code), answer
    assert set(answer) == {"error", "code", "error_type", "request_id"}
    assert answer["request_id"] == response.headers["X-Request-Id"]
    for part in said:
        assert part in answer["error"]
