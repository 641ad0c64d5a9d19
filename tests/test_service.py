"""The HTTP interface in process: shapes, refusals, limits, metrics, OpenAPI."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import jsonschema
import pytest

from probes.types import Item
from runtime.classifier import OnnxClassifier, Prediction
from service.routes import Interface
from service.settings import Settings, SettingsError, read_settings
from tests.fakes_model import build_model_folder

JSON = {"Content-Type": "application/json"}
LABELS = ("sports", "politics", "health")
SETTINGS = Settings(max_texts=4, max_chars=400, max_probe_texts=6, max_body_bytes=20_000, body_timeout_s=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def classifier(folder: Path) -> OnnxClassifier:
    return OnnxClassifier(folder, threads=1)


def client(classifier: OnnxClassifier, settings: Settings = SETTINGS) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(Interface(settings, classifier), raise_app_exceptions=False)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@pytest.fixture
async def http(classifier: OnnxClassifier) -> AsyncIterator[httpx.AsyncClient]:
    async with client(classifier) as opened:
        yield opened


async def post(http: httpx.AsyncClient, path: str, body: object) -> httpx.Response:
    return await http.post(path, json=body)


def refused(response: httpx.Response, status: int, code: str, *said: str) -> None:
    answer = response.json()
    assert (response.status_code, answer["code"]) == (status, code), answer
    assert set(answer) == {"error", "code", "error_type", "request_id"}
    assert answer["request_id"] == response.headers["X-Request-Id"]
    for part in said:
        assert part in answer["error"]


# --- /predict: two dialects ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/predict", "/"])
async def test_a_single_text_is_answered_by_a_list_of_all_labels_best_first(http: httpx.AsyncClient, path: str) -> None:
    scores = (await post(http, path, {"inputs": "the minister"})).json()
    assert scores[0]["label"] == "politics"
    assert {one["label"] for one in scores} == set(LABELS)
    assert sum(one["score"] for one in scores) == pytest.approx(1)
    assert [one["score"] for one in scores] == sorted((one["score"] for one in scores), reverse=True)


async def test_a_list_is_answered_by_a_list_of_lists_in_its_order(http: httpx.AsyncClient) -> None:
    answer = (await post(http, "/predict", {"inputs": ["a doctor", "a vote"]})).json()
    assert [scores[0]["label"] for scores in answer] == ["health", "politics"]


@pytest.mark.parametrize(
    "inputs",
    [
        [["a vote", "the team match football"]],
        [{"text": "a vote", "text_pair": "the team match football"}],
    ],
)
async def test_pairs_reach_the_model_as_pairs(http: httpx.AsyncClient, inputs: object) -> None:
    answer = (await post(http, "/predict", {"inputs": inputs})).json()
    assert [scores[0]["label"] for scores in answer] == ["sports"]


async def test_singles_and_pairs_mix(http: httpx.AsyncClient) -> None:
    inputs = [["a vote"], ["vote", "doctor hospital"], "team", {"text": "election"}]
    answer = (await post(http, "/predict", {"inputs": inputs})).json()
    assert [scores[0]["label"] for scores in answer] == ["politics", "health", "sports", "politics"]


async def test_with_parameters_a_single_text_is_answered_as_the_hugging_face_api_does(http: httpx.AsyncClient) -> None:
    nested = (await post(http, "/", {"inputs": "vote", "parameters": {}})).json()
    assert nested[0][0]["label"] == "politics"
    body = {"inputs": "vote", "parameters": {"top_k": 1, "function_to_apply": "none"}, "options": {"use_cache": True}}
    assert (await post(http, "/", body)).json() == [[{"label": "politics", "score": 2.0}]]


async def test_scores_come_as_probabilities_logits_or_sigmoids(http: httpx.AsyncClient) -> None:
    raw = (await post(http, "/predict", {"inputs": "vote", "raw_scores": True, "top_k": 2})).json()
    assert [one["score"] for one in raw] == [2.0, 0.0]
    body = {"inputs": "vote", "parameters": {"function_to_apply": "sigmoid"}}
    sigmoid = (await post(http, "/predict", body)).json()[0]
    assert [one["score"] for one in sigmoid] == pytest.approx([0.880797, 0.5, 0.5], abs=1e-6)


async def test_a_long_text_is_cut_and_counted_or_refused_on_demand(http: httpx.AsyncClient) -> None:
    long = "vote " * 60
    cut = await post(http, "/predict", {"inputs": [long, "vote"]})
    assert (cut.status_code, cut.headers["X-Truncated"]) == (200, "1")
    refused(await post(http, "/predict", {"inputs": [long], "truncate": False}), 413, "too_many_tokens", "inputs[0]")


# --- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "code", "said"),
    [
        ({"inputs": []}, 422, "empty_inputs", "empty list"),
        ({"inputs": ""}, 422, "empty_text", "empty text"),
        ({"inputs": ["a", ""]}, 422, "empty_text", "inputs[1]"),
        ({"inputs": 5}, 422, "wrong_type", "inputs must be a text"),
        ({"inputs": None}, 422, "wrong_type", "inputs must be a text"),
        ({"inputs": ["a", 3]}, 422, "wrong_type", "inputs[1]"),
        ({"inputs": [["a", "b", "c"]]}, 422, "wrong_type", "inputs[0]"),
        ({"inputs": [{"text": "a", "texts": "b"}]}, 422, "wrong_type", "inputs[0]"),
        ({}, 422, "missing_key", "inputs"),
        ({"input": "a", "inputs": "a"}, 422, "unknown_key", "input is not known here"),
        ({"inputs": "a", "parameters": {"topk": 1}}, 422, "unknown_key", "parameters.topk"),
        ({"inputs": "a", "top_k": 0}, 422, "wrong_type", "top_k"),
        ({"inputs": "a", "top_k": True}, 422, "wrong_type", "top_k"),
        ({"inputs": "a", "top_k": "3"}, 422, "wrong_type", "top_k"),
        ({"inputs": "a", "truncation_direction": "Left"}, 422, "wrong_type", "truncation_direction"),
        ({"inputs": "a", "top_k": 1, "parameters": {"top_k": 2}}, 422, "contradiction", "top_k"),
        ({"inputs": "a", "raw_scores": True, "parameters": {"function_to_apply": "softmax"}}, 422, "contradiction", ""),
        ({"inputs": ["a"] * 5}, 413, "too_many_texts", "at most 4"),
        ({"inputs": ["a" * 401]}, 413, "text_too_long", "401 characters"),
        ({"inputs": [["a", "b" * 401]]}, 413, "text_too_long", "401 characters"),
        ([1], 422, "not_an_object", "a list"),
        ("text", 422, "not_an_object", "a string"),
    ],
)
async def test_a_wrong_request_is_refused_by_name(
    http: httpx.AsyncClient, body: object, status: int, code: str, said: str
) -> None:
    refused(await post(http, "/predict", body), status, code, said)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed_json"),
        (b"{", 400, "malformed_json"),
        (b'{"inputs": "\xff"}', 400, "not_utf8"),
        (b'{"inputs": "\xed\xa0\x80"}', 400, "not_utf8"),
        (b'{"inputs": "a\\ud800"}', 400, "lone_surrogate"),
        (b'{"\\udc00": 1}', 400, "lone_surrogate"),
        (b'{"inputs": "\\ud83d\\ude00 vote"}', 200, None),
        (b'{"inputs": NaN}', 400, "not_a_json_number"),
        (b'{"inputs": -Infinity}', 400, "not_a_json_number"),
        (b"[" * 19_000, 400, "nested_too_deep"),
        (b'{"inputs": "a", "top_k": ' + b"9" * 5_000 + b"}", 400, "number_too_large"),
        (b'{"inputs": "' + b"a" * 20_000 + b'"}', 413, "body_too_large"),
    ],
)
async def test_a_broken_body_is_refused(http: httpx.AsyncClient, body: bytes, status: int, code: str | None) -> None:
    response = await http.post("/predict", content=body, headers=JSON)
    if code is None:
        assert response.status_code == status
    else:
        refused(response, status, code)


async def test_a_body_without_a_length_is_counted_as_it_comes(http: httpx.AsyncClient) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield b" " * 1_000

    refused(await http.post("/predict", content=chunks(), headers=JSON), 413, "body_too_large")


async def test_a_body_that_does_not_come_is_not_waited_for(http: httpx.AsyncClient) -> None:
    async def stalled() -> AsyncIterator[bytes]:
        yield b'{"inputs"'
        await asyncio.sleep(3)
        yield b': "a"}'

    refused(await http.post("/predict", content=stalled(), headers=JSON), 408, "body_too_slow")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
async def test_only_json_is_read(http: httpx.AsyncClient, kind: str) -> None:
    response = await http.post("/predict", content=b'{"inputs": "a"}', headers={"Content-Type": kind})
    refused(response, 415, "not_json", "application/json")


async def test_unknown_addresses_and_methods_are_refused_in_the_same_shape(http: httpx.AsyncClient) -> None:
    refused(await http.get("/wp-admin"), 404, "not_found", "/openapi.json")
    wrong = await http.put("/")
    refused(wrong, 405, "method_not_allowed", "GET, POST")
    assert wrong.headers["Allow"] == "GET, POST"
    refused(await http.get("/predict"), 405, "method_not_allowed")


async def test_a_request_id_is_kept_when_it_is_harmless(http: httpx.AsyncClient) -> None:
    assert (await http.get("/livez", headers={"X-Request-Id": "trace-1.a_b"})).headers["X-Request-Id"] == "trace-1.a_b"
    assert (await http.get("/livez", headers={"X-Request-Id": "a b<"})).headers["X-Request-Id"] != "a b<"


class Broken(OnnxClassifier):
    """A classifier that fails, quoting what it was given."""

    def predict(self, items: object, *, truncate: bool = True) -> Prediction:
        raise ValueError(f"cannot read {items}")


async def test_a_failure_inside_is_told_without_its_words(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "babelproof"):
        async with client(Broken(folder, threads=1)) as http:
            response = await post(http, "/predict", {"inputs": "my secret"})
    refused(response, 500, "internal")
    assert "secret" not in response.text + caplog.text
    assert "ValueError" in caplog.text


class Slow(OnnxClassifier):
    """A classifier that waits to be let go."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, threads=1)
        self.go = threading.Event()

    def predict(self, items: object, *, truncate: bool = True) -> Prediction:
        assert self.go.wait(20)
        return super().predict(items, truncate=truncate)  # type: ignore[arg-type]


async def test_what_does_not_fit_is_told_at_once_and_health_answers_meanwhile(folder: Path) -> None:
    slow = Slow(folder)
    async with client(slow, Settings(predict_queue=2)) as http:
        held = [asyncio.create_task(post(http, "/predict", {"inputs": "vote"})) for _ in range(2)]
        await asyncio.sleep(0.2)
        full = await asyncio.wait_for(post(http, "/predict", {"inputs": "vote"}), 2)
        refused(full, 429, "overloaded")
        assert int(full.headers["Retry-After"]) >= 1
        for path in ("/livez", "/readyz", "/metrics"):
            assert (await asyncio.wait_for(http.get(path), 2)).status_code == 200
        slow.go.set()
        assert [response.status_code for response in await asyncio.gather(*held)] == [200, 200]
        assert (await post(http, "/predict", {"inputs": "vote"})).status_code == 200


# --- /probe, /detect ----------------------------------------------------------------------------------------------

TEXTS = ["The minister won the election with every vote", "Der Arzt arbeitet seit Jahren in diesem Krankenhaus"]
SWAPS = [{"name": "swaps", "perturbations": ["swap"], "strength": 0.5, "draws": 5}]


async def test_probe_detects_languages_and_says_so(http: httpx.AsyncClient) -> None:
    answer = (await post(http, "/probe", {"texts": TEXTS, "steps": SWAPS})).json()
    assert answer["language_source"] == "detected"
    assert [(one["lang"], one["source"]) for one in answer["languages"]] == [("en", "detected"), ("de", "detected")]
    assert [(row["lang"], row["step"]) for row in answer["rows"]] == [("de", "swaps"), ("en", "swaps")]
    given = (await post(http, "/probe", {"texts": TEXTS, "steps": SWAPS, "languages": ["en", None]})).json()
    assert given["language_source"] == "mixed"
    assert given["languages"][0] == {"lang": "en", "source": "given", "confidence": None}


async def test_probe_rows_hold_rates_intervals_and_flips_that_can_be_checked(http: httpx.AsyncClient) -> None:
    body = {"texts": TEXTS, "labels": ["politics", "health"], "languages": ["en", "de"], "steps": SWAPS, "examples": 2}
    answer = (await post(http, "/probe", body)).json()
    assert not answer["truncated"]
    for row in answer["rows"]:
        assert row["n"] == 5 and row["measured"] and row["coverage"] == 1
        assert 0 <= row["low"] <= row["rate"] == row["flips"] / row["n"] <= row["high"] <= 1
        assert row["clean"]["value"] == 1
    flips = [flip for row in answer["rows"] for flip in row["examples"]]
    assert flips
    for flip in flips:
        text = flip["text"]
        for edit in sorted(flip["edits"], key=lambda edit: -edit["start"]):
            text = text[: edit["start"]] + edit["new"] + text[edit["end"] :]
        assert text == flip["changed"]
        found = (await post(http, "/predict", {"inputs": flip["changed"]})).json()
        assert found[0]["label"] == flip["changed_label"] != flip["label"]


async def test_probe_says_what_it_could_not_measure(http: httpx.AsyncClient) -> None:
    steps = [{"name": "marks", "perturbations": ["homoglyph"]}]
    row = (await post(http, "/probe", {"texts": ["足球足球"], "languages": ["zh"], "steps": steps})).json()["rows"][0]
    assert (row["measured"], row["rate"], row["n"], row["coverage"]) == (False, None, 0, 0)


async def test_probe_answers_what_it_has_at_its_deadline(folder: Path) -> None:
    class Crawling(OnnxClassifier):
        def predict(self, items: object, *, truncate: bool = True) -> Prediction:
            threading.Event().wait(0.05)
            return super().predict(items, truncate=truncate)  # type: ignore[arg-type]

    async with client(Crawling(folder, threads=1)) as http:
        steps = [{"name": "hunt", "kind": "attack", "attack": "greedy", "perturbations": ["swap"], "budget": 2000}]
        body = {"texts": TEXTS, "languages": ["en", "de"], "steps": steps, "deadline_ms": 60}
        answer = (await post(http, "/probe", body)).json()
    assert answer["truncated"]
    assert sum(row["out_of_budget"] for row in answer["rows"]) > 0


async def test_probe_runs_named_batteries_and_remembers_whole_answers(http: httpx.AsyncClient) -> None:
    body = {"texts": TEXTS, "battery": "quick"}
    first = (await post(http, "/probe", body)).json()
    assert first["battery"]["name"] == "quick" and len(first["rows"]) == 2 * len(first["battery"]["steps"])
    assert (await post(http, "/probe", body)).json() == first


@pytest.mark.parametrize(
    ("extra", "status", "code", "said"),
    [
        ({"texts": []}, 422, "empty_inputs", "texts"),
        ({"texts": ["a"] * 7}, 413, "too_many_texts", "at most 6"),
        ({"labels": ["sport"]}, 422, "unequal_lengths", "labels"),
        ({"labels": ["sport", None]}, 422, "unknown_label", "sports"),
        ({"languages": ["x y", "de"]}, 422, "wrong_type", "languages[0]"),
        ({"pairs": ["a", ""]}, 422, "empty_text", "pairs[1]"),
        ({"battery": "../../etc/passwd"}, 422, "unknown_battery", "quick"),
        ({"battery": "quick", "steps": SWAPS}, 422, "contradiction", ""),
        ({"steps": []}, 422, "bad_steps", "at least one step"),
        ({"steps": [{"name": "a", "perturbations": ["swapp"]}]}, 422, "bad_steps", "swap"),
        ({"steps": [{"name": "a", "perturbations": ["swap"], "strenght": 1}]}, 422, "bad_steps", "strength"),
        ({"steps": [{"name": "a", "perturbations": ["os:system"]}]}, 422, "bad_steps", "os:system"),
        ({"steps": [{"name": "a", "perturbations": ["swap"], "draws": 51}]}, 413, "too_many_draws", "50"),
        ({"steps": [SWAPS[0] | {"name": str(i)} for i in range(33)]}, 413, "too_many_steps", "32"),
        ({"deadline_ms": 10**9}, 422, "deadline_too_long", "120000"),
        ({"deadline_ms": 0}, 422, "wrong_type", "deadline_ms"),
    ],
)
async def test_probe_refuses_what_it_cannot_or_will_not_do(
    http: httpx.AsyncClient, extra: dict[str, object], status: int, code: str, said: str
) -> None:
    refused(await post(http, "/probe", {"texts": TEXTS, **extra}), status, code, said)


async def test_detect_names_languages(http: httpx.AsyncClient) -> None:
    found = (await post(http, "/detect", {"texts": ["Это новая вакцина против гриппа", TEXTS[1]]})).json()
    assert [one["lang"] for one in found] == ["ru", "de"]
    assert found[1]["name"] == "German" and 0 < found[1]["confidence"] <= 1


# --- about, metrics, OpenAPI, settings ----------------------------------------------------------------------------


async def test_about_says_what_is_served(http: httpx.AsyncClient, classifier: OnnxClassifier) -> None:
    about = (await http.get("/about")).json()
    assert about["model"]["labels"] == list(LABELS)
    assert about["model"]["sha256"] == classifier.manifest.sha256
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


async def test_openapi_describes_every_route_and_every_answer(
    http: httpx.AsyncClient, classifier: OnnxClassifier
) -> None:
    document = (await http.get("/openapi.json")).json()
    described = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    routes = Interface(SETTINGS, classifier).routes
    assert described == {(path, method) for path, methods in routes.items() for method in methods}

    async def follows(path: str, body: dict[str, object]) -> None:
        operation = document["paths"][path]["post"]
        components = {"components": document["components"]}
        content = "application/json"
        request = operation["requestBody"]["content"][content]["schema"]
        jsonschema.validate(body, request | components)
        response = await post(http, path, body)
        schema = operation["responses"][str(response.status_code)]["content"][content]["schema"]
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


def test_the_fake_model_takes_pairs(classifier: OnnxClassifier) -> None:
    assert classifier([Item("vote", "team match")]).argmax() == 0


def test_demo_sentences_are_named(classifier: OnnxClassifier, tmp_path: Path) -> None:
    demo = tmp_path / "demo.jsonl"
    demo.write_text(json.dumps({"id": "1", "lang": "de", "text": "Hallo", "label": "sports"}) + "\n")

    async def sentences(settings: Settings) -> list[dict[str, str]]:
        async with client(classifier, settings) as http:
            return (await http.get("/demo.json")).json()  # type: ignore[no-any-return]

    assert asyncio.run(sentences(Settings(demo=demo)))[0]["name"] == "German"
    assert asyncio.run(sentences(Settings(demo=tmp_path / "none"))) == []
