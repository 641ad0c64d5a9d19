"""The Open Inference Protocol v2, as its clients speak it: JSON and binary tensors, metadata, errors."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from probes.types import Item
from runtime.classifier import OnnxClassifier
from tests.fakes_interface import SETTINGS, client, interface, refused
from tests.fakes_model import build_model_folder
from tests.fakes_server import listening

INFER = "/v2/models/keywords/infer"
TEXTS = ["The minister won every vote", "Das Team 足球"]


def tensor(texts: list[Any], name: str = "text", **more: Any) -> dict[str, Any]:
    return {"name": name, "shape": [len(texts)], "datatype": "BYTES", "data": texts} | more


def packed(texts: list[str]) -> bytes:
    return b"".join(struct.pack("<I", len(text.encode())) + text.encode() for text in texts)


async def infer(http: httpx.AsyncClient, *inputs: dict[str, Any], **more: Any) -> httpx.Response:
    return await http.post(INFER, json={"inputs": list(inputs), **more})


def output(response: httpx.Response, name: str) -> dict[str, Any]:
    (found,) = (one for one in response.json()["outputs"] if one["name"] == name)
    return found  # type: ignore[no-any-return]


async def test_labels_and_scores_are_those_of_the_model(http: httpx.AsyncClient, served: OnnxClassifier) -> None:
    response = await infer(http, tensor(TEXTS), id="a b")
    answer = response.json()
    assert (answer["id"], answer["model_name"]) == ("a b", "keywords")
    assert served.manifest.sha256.startswith(answer["model_version"])
    assert output(response, "label")["data"] == ["politics", "sports"]
    scores = output(response, "scores")
    expected = served([Item(text) for text in TEXTS])
    assert (scores["shape"], scores["datatype"]) == ([2, 3], "FP32")
    np.testing.assert_allclose(scores["data"], expected.ravel(), rtol=1e-6)
    assert set(answer) == {"id", "model_name", "model_version", "outputs"}


@pytest.mark.parametrize("data", [TEXTS, [[text] for text in TEXTS]])
async def test_texts_may_stand_in_a_column(http: httpx.AsyncClient, data: list[Any]) -> None:
    flat = await infer(http, tensor(TEXTS))
    column = await infer(http, tensor(data, shape=[2, 1]))
    assert column.json()["outputs"] == flat.json()["outputs"]


async def test_top_k_gives_the_best_first_and_logits_only_where_they_are_wanted(http: httpx.AsyncClient) -> None:
    wanted = [{"name": "logits"}, {"name": "label"}]
    response = await infer(http, tensor(TEXTS[:1]), outputs=wanted, parameters={"top_k": 2, "unheard_of": 1})
    assert [one["name"] for one in response.json()["outputs"]] == ["logits", "label"]
    assert output(response, "logits") == {"name": "logits", "datatype": "FP32", "shape": [1, 2], "data": [4.0, 0.0]}
    assert output(response, "label") == {
        "name": "label",
        "datatype": "BYTES",
        "shape": [1, 2],
        "data": ["politics", "sports"],
    }


async def test_pairs_and_truncation(tmp_path: Path) -> None:
    folder = build_model_folder(tmp_path / "pairs", pairs=True, max_length=8)
    async with client(OnnxClassifier(folder, threads=1)) as http:
        response = await infer(http, tensor(["x"]), tensor(["team vote team"], "text_pair"))
        assert output(response, "label")["data"] == ["sports"]
        refused(await infer(http, tensor(["x"]), tensor(["a", "b"], "text_pair")), 422, "bad_tensor", "2 elements")
        long = await infer(http, tensor(["x", "vote " * 20]), parameters={"truncate": False})
        refused(long, 413, "too_many_tokens", "text[1]", "22 tokens")
        named = [one["name"] for one in (await http.get("/v2/models/keywords")).json()["inputs"]]
        assert named == ["text", "text_pair"]


async def test_binary_tensors_both_ways(http: httpx.AsyncClient) -> None:
    plain = await infer(http, tensor(TEXTS))
    raw = packed(TEXTS)
    sent = {"name": "text", "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": len(raw)}}
    head = json.dumps({"inputs": [sent], "parameters": {"binary_data_output": True}}).encode()
    size = {"Inference-Header-Content-Length": str(len(head))}
    response = await http.post(INFER, content=head + raw, headers=size)
    assert response.status_code == 200 and response.headers["Content-Type"] == "application/octet-stream"
    first = int(response.headers["Inference-Header-Content-Length"])
    label, scores = json.loads(response.content[:first])["outputs"]
    at = first + label["parameters"]["binary_data_size"]
    assert response.content[first:at] == packed(output(plain, "label")["data"])
    assert len(response.content) == at + scores["parameters"]["binary_data_size"]
    assert np.frombuffer(response.content[at:], "<f4").tolist() == output(plain, "scores")["data"]
    one = [{"name": "label"}, {"name": "scores", "parameters": {"binary_data": True}}]
    mixed = await infer(http, tensor(TEXTS), outputs=one)
    first = int(mixed.headers["Inference-Header-Content-Length"])
    assert json.loads(mixed.content[:first])["outputs"][0]["data"] == ["politics", "sports"]


@pytest.mark.parametrize(
    ("kind", "binary", "status"),
    [
        ("application/json", False, 200),
        ("application/json; charset=utf-8", False, 200),
        (None, False, 200),  # as Triton's client sends it
        (None, True, 200),
        ("application/octet-stream", True, 200),
        ("application/octet-stream", False, 415),
        ("application/x-www-form-urlencoded", True, 415),
        ("text/plain", False, 415),
        ("application/vnd.bentoml+pickle", True, 415),
    ],
)
async def test_bytes_are_taken_where_they_are_said_to_be_tensors(
    http: httpx.AsyncClient, kind: str | None, binary: bool, status: int
) -> None:
    raw = packed(TEXTS) if binary else b""
    sent = tensor(TEXTS) | ({"data": None, "parameters": {"binary_data_size": len(raw)}} if binary else {})
    head = json.dumps({"inputs": [sent]}).encode()
    headers = ({"Content-Type": kind} if kind else {}) | (
        {"Inference-Header-Content-Length": str(len(head))} if binary else {}
    )
    response = await http.post(INFER, content=head + raw, headers=headers)
    assert response.status_code == status, response.text
    if status == 415:
        refused(response, 415, "not_json", "application/json", "Inference-Header-Content-Length")
    index = await http.post("/v2/repository/index", content=b"{}", headers=headers)
    assert index.status_code == (415 if kind and "json" not in kind else 200)


@pytest.mark.parametrize(
    ("inputs", "code", "said"),
    [
        ([tensor(["a"], name="texts")], "wrong_type", "inputs[0].name"),
        ([tensor(["a"], datatype="FP32")], "wrong_type", "inputs[0].datatype"),
        ([tensor(["a", "b"], shape=[3])], "bad_tensor", "shape [3] and 2 elements"),
        ([tensor(["a", "b"], shape=[1, 2])], "bad_tensor", "[2, 1]"),
        ([tensor([])], "bad_tensor", "is empty"),
        ([tensor(["a", 1])], "bad_tensor", "data[1]"),
        ([tensor(["a"]), tensor(["a"])], "bad_tensor", "twice"),
        ([tensor(["a"], name="text_pair")], "bad_tensor", "text is missing"),
        ([tensor([""])], "empty_text", "text[0]"),
        ([], "empty_inputs", "inputs"),
        ([{"name": "text", "shape": [1], "datatype": "BYTES"}], "bad_tensor", "needs either"),
        ([tensor(["a"], parameters={"binary_data_size": 9})], "bad_tensor", "needs either"),
    ],
)
async def test_tensors_that_do_not_fit_are_refused(
    http: httpx.AsyncClient, inputs: list[Any], code: str, said: str
) -> None:
    refused(await infer(http, *inputs), 422, code, said)


@pytest.mark.parametrize(
    ("raw", "size", "said"),
    [
        (b"\x05\x00\x00\x00vote", 8, "ends within the element at byte 0"),
        (b"\x04\x00", 2, "ends within"),
        (b"\x01\x00\x00\x00\xff", 5, "not UTF-8"),
        (b"\x01\x00\x00\x00a", 99, "5 follow"),
        (b"\x01\x00\x00\x00a!", 5, "1 bytes that no tensor"),
    ],
)
async def test_broken_bytes_are_refused(http: httpx.AsyncClient, raw: bytes, size: int, said: str) -> None:
    sent = {"name": "text", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": size}}
    head = json.dumps({"inputs": [sent]}).encode()
    length = {"Inference-Header-Content-Length": str(len(head))}
    refused(await http.post(INFER, content=head + raw, headers=length), 422, "bad_tensor", said)
    length = {"Inference-Header-Content-Length": str(len(head + raw) + 1)}
    refused(await http.post(INFER, content=head + raw, headers=length), 400, "bad_header_length")


async def test_bounds_are_those_of_predict(http: httpx.AsyncClient) -> None:
    refused(await infer(http, tensor(["a"] * 5)), 413, "too_many_texts")
    refused(await infer(http, tensor(["a" * 401])), 413, "text_too_long")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    refused(await http.post(INFER, content=b"{}", headers=form), 415, "not_json")
    late = await http.post(INFER, json={"inputs": [tensor(["a"])]}, headers={"X-Deadline-Ms": "soon"})
    refused(late, 422, "bad_deadline")
    shared = [{"name": "label", "parameters": {"shared_memory_region": "x"}}]
    refused(await infer(http, tensor(["a"]), outputs=shared), 422, "wrong_type", "shared_memory_region")


async def test_what_is_served_and_how_it_is(http: httpx.AsyncClient, served: OnnxClassifier) -> None:
    server = (await http.get("/v2")).json()
    assert server["name"] == "babelproof" and "binary_tensor_data" in server["extensions"]
    assert (await http.get("/v2/health/live")).json() == {"live": True}
    assert (await http.get("/v2/health/ready")).json() == {"ready": True}
    model = (await http.get("/v2/models/keywords")).json()
    assert model["parameters"]["labels"] == list(served.labels)
    (version,) = model["versions"]
    index = [{"name": "keywords", "version": version, "state": "READY", "reason": ""}]
    assert (await http.get("/v2/repository/index")).json() == index
    assert (await http.post("/v2/repository/index", content=b"")).json() == index
    assert (await http.get(f"/v2/models/keywords/versions/{version}")).json() == model
    assert (await http.get(f"/v2/models/keywords/versions/{version}/ready")).json()["ready"] is True
    refused(await http.get("/v2/models/other/ready"), 404, "unknown_model", "keywords")
    refused(await http.get("/v2/models/keywords/versions/1"), 404, "unknown_version", version)
    answer = await http.post(f"/v2/models/keywords/versions/{version}/infer", json={"inputs": [tensor(["vote"])]})
    assert output(answer, "label")["data"] == ["politics"]


async def test_a_process_that_leaves_is_live_and_not_ready(served: OnnxClassifier) -> None:
    leaving = interface(served)
    leaving.leave()
    transport = httpx.ASGITransport(leaving)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        assert (await http.get("/v2/health/live")).status_code == 200
        refused(await http.get("/v2/health/ready"), 503, "leaving")
        refused(await http.get("/v2/models/keywords/ready"), 503, "leaving")


@pytest.mark.parametrize("binary", [False, True])
def test_triton_clients_are_served(served: OnnxClassifier, binary: bool) -> None:
    triton = pytest.importorskip("tritonclient.http", reason="its greenlet is older than playwright's")
    with listening(interface(served, SETTINGS)) as address:
        client = triton.InferenceServerClient(address.removeprefix("http://"))
        assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("keywords")
        sent = triton.InferInput("text", [2], "BYTES")
        sent.set_data_from_numpy(np.array(TEXTS, dtype=np.object_), binary_data=binary)
        outputs = [triton.InferRequestedOutput(name, binary_data=binary) for name in ("label", "scores")]
        answer = client.infer("keywords", [sent], outputs=outputs, request_id="7")
        said = [one.decode() if isinstance(one, bytes) else one for one in answer.as_numpy("label")]
        assert said == ["politics", "sports"] and answer.as_numpy("scores").shape == (2, 3)
