"""What the service says of itself: about, metrics, OpenAPI, headers, settings."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import jsonschema
import pytest

from probes.types import Item
from runtime.classifier import OnnxClassifier
from service.settings import Settings, SettingsError, read_settings
from tests.fakes_interface import SWAPS, TEXTS, client, interface, post

JSON = {"Content-Type": "application/json"}
LABELS = ("sports", "politics", "health")


async def test_detect_names_languages(http: httpx.AsyncClient) -> None:
    found = (await post(http, "/detect", {"texts": ["Это новая вакцина против гриппа", TEXTS[1]]})).json()
    assert [one["lang"] for one in found] == ["ru", "de"]
    assert found[1]["name"] == "German" and 0 < found[1]["confidence"] <= 1


async def test_about_says_what_is_served(http: httpx.AsyncClient, served: OnnxClassifier) -> None:
    about = (await http.get("/about")).json()
    assert about["model"]["labels"] == list(LABELS)
    assert about["model"]["sha256"] == served.manifest.sha256
    assert about["limits"]["max_texts"] == 4
    assert "quick" in [battery["name"] for battery in about["batteries"]]
    assert len(about["probe_languages"]) >= 24
    assert about["versions"]["onnxruntime"]


async def test_metrics_have_a_bounded_number_of_series(http: httpx.AsyncClient) -> None:
    await post(http, "/predict", {"inputs": ["vote", "vote " * 60]})
    for number in range(20):
        await http.get(f"/scan-{number}")
        await http.request(f"ODD{number}", "/livez")
        await post(http, "/probe", {"texts": ["vote"], "languages": [f"q{chr(97 + number)}"], "steps": SWAPS})
    text = (await http.get("/metrics")).text
    assert 'babelproof_requests_total{method="GET",route="unmatched",status="404"} 20.0' in text
    assert 'babelproof_requests_total{method="other",route="/livez",status="405"} 20.0' in text
    assert 'babelproof_texts_total{route="/predict"} 2.0' in text
    assert "babelproof_texts_truncated_total 1.0" in text
    assert "scan-" not in text
    outcomes = [line for line in text.splitlines() if "outcomes_total{" in line]
    assert outcomes and all('lang="other"' in line for line in outcomes)


async def test_openapi_describes_every_route_and_every_answer(http: httpx.AsyncClient, served: OnnxClassifier) -> None:
    document = (await http.get("/openapi.json")).json()
    described = {(path, method.upper()) for path, said in document["paths"].items() for method in said}
    described -= {(path, "PARAMETERS") for path in document["paths"]}
    application = interface(served)
    routes = application.routing.table
    application.close()
    assert described == {(path, method) for path, methods in routes.items() for method in methods}

    async def follows(path: str, body: dict[str, object]) -> None:
        operation = document["paths"][path]["post"]
        components = {"components": document["components"]}
        content = "application/json"
        request = operation["requestBody"]["content"][content]["schema"]
        jsonschema.validate(body, request | components)
        response = await post(http, path, body)
        said = operation["responses"][str(response.status_code)]
        if "$ref" in said:
            said = document["components"]["responses"][said["$ref"].rpartition("/")[2]]
        schema = said["content"][content]["schema"]
        jsonschema.validate(response.json(), schema | components)

    await follows("/predict", {"inputs": [["a", "b"], "c", {"text": "d"}], "top_k": 2})
    await follows("/", {"inputs": "vote", "parameters": {"top_k": 2}})
    await follows("/probe", {"texts": TEXTS, "steps": SWAPS, "labels": ["politics", None]})
    await follows("/detect", {"texts": TEXTS})
    await follows("/predict", {"inputs": ["a"] * 5})


async def test_every_answer_carries_the_security_headers(http: httpx.AsyncClient) -> None:
    for path in ("/", "/about", "/nowhere", "/static/app.js"):
        headers = (await http.get(path)).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_settings_survive_the_way_to_the_workers(tmp_path: Path) -> None:
    settings = Settings(model=tmp_path, max_texts=3, metrics_dir=tmp_path, threads=0, supervisor=7)
    assert read_settings(settings.environment()) == settings
    assert read_settings({"BABELPROOF_MAX_TEXTS": "9", "UNRELATED": "x"}).max_texts == 9


@pytest.mark.parametrize("text", ["many", "-1", "0", "1.5"])
def test_a_malformed_setting_is_named(text: str) -> None:
    with pytest.raises(SettingsError, match="BABELPROOF_WORKERS"):
        read_settings({"BABELPROOF_WORKERS": text})


def test_the_fake_model_takes_pairs(served: OnnxClassifier) -> None:
    assert served([Item("vote", "team match")]).argmax() == 0


def test_demo_sentences_are_named(served: OnnxClassifier, tmp_path: Path) -> None:
    demo = tmp_path / "demo.jsonl"
    demo.write_text(json.dumps({"id": "1", "lang": "de", "text": "Hallo", "label": "sports"}) + "\n")

    async def sentences(settings: Settings) -> list[dict[str, str]]:
        async with client(served, settings) as http:
            return (await http.get("/demo.json")).json()  # type: ignore[no-any-return]

    assert asyncio.run(sentences(Settings(demo=demo)))[0]["name"] == "German"
    assert asyncio.run(sentences(Settings(demo=tmp_path / "none"))) == []
