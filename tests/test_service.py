"""The prediction API in process: shapes, refusals and limits."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import pytest

from probes.types import Item
from runtime.backends import Backend
from runtime.classifier import OnnxClassifier
from runtime.tokenization import Row
from service.settings import Settings
from tests.fakes_interface import client, post, refused

JSON = {"Content-Type": "application/json"}
LABELS = ("sports", "politics", "health")


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
    assert wrong.headers["Allow"] == "GET, POST, HEAD"
    refused(await http.get("/predict"), 405, "method_not_allowed")


async def test_a_request_id_is_kept_when_it_is_harmless(http: httpx.AsyncClient) -> None:
    assert (await http.get("/livez", headers={"X-Request-Id": "trace-1.a_b"})).headers["X-Request-Id"] == "trace-1.a_b"
    assert (await http.get("/livez", headers={"X-Request-Id": "a b<"})).headers["X-Request-Id"] != "a b<"


class Broken(OnnxClassifier):
    """A classifier that fails, quoting what it was given."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, threads=1)
        self.tokenize = self.fail  # type: ignore[assignment]

    def fail(self, items: Sequence[Item], *, truncate: bool = True) -> list[Row]:
        raise ValueError(f"cannot read {items}")


async def test_a_failure_inside_is_told_without_its_words(
    served_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "babelproof"):
        async with client(Broken(served_folder)) as http:
            response = await post(http, "/predict", {"inputs": "my secret"})
    refused(response, 500, "internal")
    assert "secret" not in response.text + caplog.text
    assert "ValueError" in caplog.text


class Slow(OnnxClassifier):
    """A classifier that waits to be let go."""

    def __init__(self, folder: Path) -> None:
        self.go = threading.Event()
        super().__init__(folder, threads=1)

    @property
    def backend(self) -> Backend:
        assert self.go.wait(20)
        return super().backend


@pytest.mark.parametrize(("path", "inputs"), [("/predict", ["vote"] * 3), ("/predict?robustness=8&lang=en", "doctor")])
async def test_what_would_never_fit_is_told_so(served: OnnxClassifier, path: str, inputs: object) -> None:
    async with client(served, Settings(predict_queue=2)) as http:
        refused(await post(http, path, {"inputs": inputs}), 413, "request_too_large", "takes 2 at once")


async def test_what_does_not_fit_is_told_at_once_and_health_answers_meanwhile(served_folder: Path) -> None:
    slow = Slow(served_folder)
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
