"""The probing API in process: rows, deadlines, refusals."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
import pytest

from runtime.classifier import OnnxClassifier, Prediction
from tests.fakes_interface import SWAPS, TEXTS, client, post, refused

ATTACK = {"name": "a", "perturbations": ["swap"], "kind": "attack", "attack": "greedy", "budget": 20}


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
    steps = [{"name": "marks", "perturbations": ["case"]}]
    row = (await post(http, "/probe", {"texts": ["足球足球"], "languages": ["zh"], "steps": steps})).json()["rows"][0]
    assert (row["measured"], row["rate"], row["n"], row["coverage"]) == (False, None, 0, 0)


async def test_probe_answers_what_it_has_at_its_deadline(served_folder: Path) -> None:
    class Crawling(OnnxClassifier):
        def predict(self, items: object, *, truncate: bool = True) -> Prediction:
            threading.Event().wait(0.05)
            return super().predict(items, truncate=truncate)  # type: ignore[arg-type]

    async with client(Crawling(served_folder, threads=1)) as http:
        await post(http, "/probe", {"texts": TEXTS[:1], "steps": SWAPS})  # the prober is there
        steps = [{"name": "hunt", "kind": "attack", "attack": "greedy", "perturbations": ["swap"], "budget": 2000}]
        body = {"texts": TEXTS, "languages": ["en", "de"], "steps": steps, "deadline_ms": 200}
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
        (
            {"steps": [{"name": "a", "perturbations": ["synonym:wordnet:/etc"]}]},
            422,
            "bad_steps",
            "not taken from here",
        ),
        ({"steps": [{"name": "a", "perturbations": ["synonym:mythes"]}]}, 422, "bad_steps", "not taken from here"),
        ({"steps": [ATTACK | {"goal": "targeted:sport"}]}, 422, "bad_steps", "sports"),
        ({"steps": [ATTACK | {"protect": ["regex:(a+)+$"]}]}, 422, "bad_steps", "regex"),
        ({"steps": [ATTACK | {"similarity": "os:getcwd"}]}, 422, "bad_steps", "os:getcwd"),
        ({"steps": [ATTACK | {"attack": "os:getcwd"}]}, 422, "bad_steps", "os:getcwd"),
        ({"steps": [{"name": "a", "perturbations": ["swap"], "draws": 51}]}, 413, "too_many_draws", "50"),
        ({"steps": [SWAPS[0] | {"name": str(i)} for i in range(65)]}, 413, "too_many_steps", "64"),
        ({"deadline_ms": 10**9}, 422, "deadline_too_long", "120000"),
        ({"deadline_ms": 0}, 422, "wrong_type", "deadline_ms"),
    ],
)
async def test_probe_refuses_what_it_cannot_or_will_not_do(
    http: httpx.AsyncClient, extra: dict[str, object], status: int, code: str, said: str
) -> None:
    refused(await post(http, "/probe", {"texts": TEXTS, **extra}), status, code, said)
