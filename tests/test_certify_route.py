"""/certify: certificates that are those of the library, bounded, seeded by nobody's choice, stopped in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from probes.certificates import deletion, smoothing
from probes.certificates.deletion import Deletion
from probes.types import Example, Item, Probabilities
from runtime.classifier import OnnxClassifier
from runtime.engine import Engine
from runtime.manifest import Smoothing, read, write
from runtime.smoothed import SmoothedClassifier
from service.interface import Interface
from service.models import Models
from service.settings import Settings
from tests.fakes_interface import Client, client, refused
from tests.fakes_model import build_model_folder
from tests.fakes_models import looked, serving_models, switch, two_folders
from tests.fakes_prober import probing

TEXT = "vote minister election vote minister election vote minister election"


async def ask(http: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await http.post("/certify", json={"texts": [TEXT], "unit": "word", "n": 300, **body})


async def test_certificates_are_those_of_the_library(http: httpx.AsyncClient, served: OnnxClassifier) -> None:
    answer = (await ask(http, seed=5, languages=["en"], deletion=0.7)).json()
    (found,) = answer["certificates"]
    how = Deletion("word", 0.7, 100, 300, 0.001)
    (expected,) = deletion.certify(served, [Example("", Item(TEXT), "en")], how, 5)
    assert (found["label"], found["radius"], found["lower"]) == ("politics", expected.radius, expected.lower)
    assert (found["insertions"], found["deletions"]) == (expected.insertions, expected.deletions)
    assert found["status"] == "certified" and found["radius"] >= 1 and found["units"] == 9
    assert sum(found["counts"].values()) == 300 and found["plain"] == "politics" and found["empty"] == "sports"
    assert answer["ceiling"] == how.ceiling and not answer["truncated"] and answer["sigma"] is None
    assert answer["model"] == served.manifest.sha256


async def test_a_vote_that_is_not_clear_abstains(http: httpx.AsyncClient) -> None:
    (found,) = (await ask(http, texts=["vote doctor"], deletion=0.6, n=1000, seed=1)).json()["certificates"]
    assert (found["status"], found["label"], found["radius"]) == ("abstained", None, 0)
    assert found["lower"] <= 0.5


async def test_the_seed_is_nobodys_choice_unless_given(http: httpx.AsyncClient) -> None:
    first, second = [(await ask(http)).json() for _ in range(2)]
    assert first["seed"] != second["seed"] and max(first["seed"], second["seed"]) < 2**53
    again = (await ask(http, seed=first["seed"])).json()
    assert again["certificates"] == first["certificates"]


@pytest.mark.parametrize(
    ("body", "status", "code", "said"),
    [
        ({"texts": ["a"] * 17}, 413, "too_many_texts", "16"),
        ({"texts": ["a" * 2001]}, 413, "text_too_long", "2000"),
        ({"n": 9_950}, 413, "too_many_samples", "10050"),
        ({"n": 5}, 422, "certifies_nothing", "unanimous"),
        ({"deletion": 0.4}, 422, "certifies_nothing", "unanimous"),
        ({"deletion": 1.0}, 422, "wrong_type", "deletion"),
        ({"alpha": 0.5}, 422, "wrong_type", "alpha"),
        ({"sigma": -1.0}, 422, "wrong_type", "sigma"),
        ({"seed": 2**53}, 422, "wrong_type", "seed"),
        ({"unit": "line"}, 422, "wrong_type", "unit"),
        ({"pairs": ["a", "b"]}, 422, "unequal_lengths", "pairs"),
        ({"languages": []}, 422, "unequal_lengths", "languages"),
        ({"deadline_ms": 10**9}, 422, "deadline_too_long", "deadline_ms"),
        ({"kind": "gaussian"}, 422, "not_smoothed", "deletion"),
        ({"texts": [""]}, 422, "empty_text", "texts[0]"),
    ],
)
async def test_what_is_too_much_or_means_nothing_is_refused(
    served: OnnxClassifier, body: dict[str, Any], status: int, code: str, said: str
) -> None:
    async with client(served, Settings()) as http:
        refused(await ask(http, **body), status, code, said)


async def test_a_deadline_leaves_texts_out_and_says_so(served: OnnxClassifier) -> None:
    async with client(served, Settings()) as http:
        texts = [f"{TEXT} {number}" for number in range(16)]
        answer = (await ask(http, texts=texts, n=9_000, deadline_ms=300, languages=["en"] * 16)).json()
    states = [found["status"] for found in answer["certificates"]]
    assert answer["truncated"] and states[-1] == "unreached" and len(states) == 16
    assert answer["elapsed_ms"] < 5_000
    assert all(found["label"] is None for found in answer["certificates"] if found["status"] == "unreached")


async def test_one_runs_at_a_time_and_few_wait(served: OnnxClassifier) -> None:
    async with client(served, Settings(certify_queue=1)) as http:
        long = {"texts": [TEXT] * 8, "n": 9_000, "deadline_ms": 1_000}
        answers = await asyncio.gather(ask(http, **long), ask(http, **long))
    assert sorted(answer.status_code for answer in answers) == [200, 429]
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status_code == 429)


async def test_each_model_certifies_by_its_name(http: httpx.AsyncClient) -> None:
    body = {"texts": [TEXT], "unit": "word", "n": 50, "seed": 1, "alpha": 0.01}
    named = await http.post("/models/keywords/certify", json=body)
    assert named.json()["certificates"] == (await http.post("/certify", json=body)).json()["certificates"]
    refused(await http.post("/models/other/certify", json=body), 404, "unknown_model")


class Interrupted(Engine):
    """One before whose answer something happens."""

    before: list[Callable[[], None]]

    def __call__(self, items: Any) -> Probabilities:
        while self.before:
            self.before.pop()()
        return super().__call__(items)


async def test_the_model_that_began_to_vote_votes_to_the_end(tmp_path: Path) -> None:
    link, old, new = two_folders(tmp_path)
    Interrupted.before = []
    settings = Settings(model=link, state=tmp_path / "state")
    models = Models.open(settings, lambda folder: Interrupted(OnnxClassifier(folder, threads=1)))
    first = models.get()

    def replaced_twice() -> None:
        for folder in (new, old):
            switch(link, folder)
            looked(models)
        time.sleep(1.05)  # longer than an engine out of use is kept in any case
        looked(models)

    async with serving_models(settings, models) as http:
        Interrupted.before = [replaced_twice]
        answer = await ask(http, languages=["en"])
        assert models.get() is not first and models.served().swaps["reload"] == 2
        assert answer.status_code == 200, answer.text
        assert answer.json()["model"] == first.manifest.sha256
        time.sleep(0.1)
        looked(models)
        with pytest.raises(RuntimeError, match="closed"):
            _ = first.classifier.backend


def smoothed_folder(path: Path) -> Path:
    """The keyword model with its graph in two halves: rows of the table as embeddings, their sum as the body."""
    build_model_folder(path)
    graph = onnx.load(str(path / "model.onnx")).graph
    (table,) = (numpy_helper.to_array(one) for one in graph.initializer if one.name == "table")
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "sequence"])
    mask = helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["batch", "sequence"])
    vectors = helper.make_tensor_value_info("inputs_embeds", TensorProto.FLOAT, ["batch", "sequence", table.shape[1]])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", table.shape[1]])
    first = [helper.make_node("Gather", ["table", "input_ids"], ["inputs_embeds"])]
    second = [
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["inputs_embeds", "column"], ["masked"]),
        helper.make_node("ReduceSum", ["masked", "middle"], ["logits"], keepdims=0),
    ]
    constants = [numpy_helper.from_array(np.array([at]), name) for at, name in ((-1, "last"), (1, "middle"))]
    halves = {
        "embeddings.onnx": helper.make_graph(first, "e", [ids], [vectors], [numpy_helper.from_array(table, "table")]),
        "body.onnx": helper.make_graph(second, "b", [vectors, mask], [logits], constants),
    }
    for name, half in halves.items():
        model = helper.make_model(half, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        (path / name).write_bytes(model.SerializeToString())
    write(path, replace(read(path), smoothing=Smoothing(0.5, (0, 2, 3))))
    return path


async def test_gaussian_smoothing_where_the_folder_has_the_graphs(tmp_path: Path) -> None:
    folder = smoothed_folder(tmp_path / "smoothed")
    settings = Settings(models=f"smoothed={folder}", state=tmp_path / "state")
    models = Models.open(settings)
    classifier = OnnxClassifier(folder, threads=1)
    interface = Interface(settings, models, probing(settings, classifier, models))
    async with Client(interface, TemporaryDirectory()) as http:
        answer = (await ask(http, kind="gaussian", texts=["vote minister"], seed=2)).json()
        (found,) = answer["certificates"]
        assert (answer["sigma"], found["status"], found["label"], found["unit"]) == (0.5, "certified", "politics", "l2")
        assert 0 < found["radius"] < answer["ceiling"] and answer["deletion"] is None
        assert found["radius"] == pytest.approx(smoothing.radius(found["lower"], 0.5))
        assert found["counts"]["politics"] > 290 and found["plain"] == "politics"
        loud = (await ask(http, kind="gaussian", texts=["vote"], sigma=20.0, seed=2)).json()["certificates"][0]
        assert loud["counts"] != found["counts"] and loud["lower"] < found["lower"]
    models.close()
    assert SmoothedClassifier(folder).smoothing.sigma == 0.5


async def test_graphs_that_cannot_be_read_just_now_are_told_so(tmp_path: Path) -> None:
    folder = smoothed_folder(tmp_path / "smoothed")
    settings = Settings(models=f"smoothed={folder}", state=tmp_path / "state")
    async with serving_models(settings, Models.open(settings)) as http:
        (folder / "manifest.json").unlink()
        (folder / "manifest.json").mkdir()
        refused(await ask(http, kind="gaussian", texts=["vote"]), 503, "model_unavailable")
