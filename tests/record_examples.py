"""`python -m tests.record_examples` asks every route of a service over models/topics, and keeps the answers.

They become service/http/examples.json, the examples of the OpenAPI document. Long lists are cut; there is a job to be
asked for, and a candidate to promote.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from probes.files import write_text
from runtime.classifier import OnnxClassifier
from runtime.manifest import read, write
from service.http.openapi import EXAMPLES
from service.interface import Interface
from service.models import Models
from service.settings import Settings
from tests.fakes_prober import probing

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "models" / "topics"
LATER = ("/models/{name}/promote", "/models/{name}/rollback")
"""What changes the model; after all else."""
KEPT = 3
"""Elements of a list, and hundreds of characters of a text, that are kept."""


async def record(folder: Path) -> dict[str, Any]:
    """The answer of every route, by method and path."""
    candidate = folder / "candidate"
    shutil.copytree(MODEL, candidate)
    write(candidate, replace(read(candidate), created_by="babelproof, trained longer"))
    settings = Settings(models=f"topics={MODEL}", shadow=f"topics={candidate}", state=folder / "state", workers=1)
    models = Models.open(settings)
    while models.served().slots.candidate is None:  # it is taken once its folder stood still for one look
        models.served().look()
    interface = Interface(settings, models, probing(settings, OnnxClassifier(MODEL, threads=1), models))
    interface.warm()
    transport = httpx.ASGITransport(interface)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:3000", timeout=60) as http:
        document = (await http.get("/openapi.json")).json()["paths"]
        names = {"name": "topics", "version": models.get().manifest.sha256[:12]}
        names["id"] = await _job(http, document["/batteries"]["post"])
        routes = [(method, path) for path, methods in document.items() for method in methods if method != "parameters"]
        routes.sort(key=lambda route: (route[1] in LATER, route[0] == "delete", route[1]))
        found = {}
        for method, path in routes:
            if method == "delete":  # one that is alive, which is cancelled
                more = {"texts": ["The match ended in a draw."] * 2_000, "battery": "full"}
                names["id"] = (await http.post("/batteries", json=more)).json()["id"]
            if (said := await _asked(http, method, path.format(**names), document[path][method])) is not None:
                found[f"{method.upper()} {path}"] = said
    await asyncio.to_thread(interface.close)
    models.close()
    return found


async def _job(http: httpx.AsyncClient, operation: Mapping[str, Any]) -> str:
    """A job that is done."""
    name: str = (await http.post("/batteries", json=_body(operation))).json()["id"]
    while (job := (await http.get(f"/batteries/{name}")).json())["state"] in ("queued", "running"):
        await asyncio.sleep(0.1)
    assert job["state"] == "done", job
    return name


async def _asked(http: httpx.AsyncClient, method: str, path: str, operation: Mapping[str, Any]) -> Any:
    """The answer as an example; None of files, which say nothing, and of this document."""
    kinds = [k for status, one in operation["responses"].items() if status < "300" for k in one.get("content", ())]
    if path == "/openapi.json" or path.startswith("/static/") or kinds == ["text/html"]:
        return None
    response = await http.request(method, path, json=_body(operation) if "requestBody" in operation else None)
    assert response.is_success, (method, path, response.text)
    return _cut(response.json()) if kinds[0] == "application/json" else response.text[: KEPT * 100]


def _body(operation: Mapping[str, Any]) -> Any:
    return operation["requestBody"]["content"]["application/json"]["example"]


def _cut(answer: Any) -> Any:
    if isinstance(answer, list):
        return [_cut(element) for element in answer[:KEPT]]
    return {key: _cut(value) for key, value in answer.items()} if isinstance(answer, dict) else answer


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(record(Path(folder)))
    write_text(EXAMPLES, json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
