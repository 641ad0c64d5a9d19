"""Variants of a text, drawn fast, and the robustness card of /predict: true, bounded, the same every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes import languages, perturbations
from probes.data import read_examples
from probes.statistics.intervals import wilson
from probes.text import splice
from probes.types import Item
from probes.variants import MIX, Variant, variants
from runtime.classifier import OnnxClassifier
from service.answers.robustness import Drawn, cards
from service.answers.schemas import SpokenLanguage
from service.settings import Settings
from tests.fakes_interface import client, refused
from tests.fakes_model import build_model_folder

ROOT = Path(__file__).resolve().parent.parent
LABELS = ("sports", "politics", "health")
TEXT = "The minister won the election with every vote"
DEMO = read_examples(ROOT / "examples" / "demo.jsonl", 2)


@pytest.mark.parametrize("example", DEMO, ids=lambda example: example.id)
def test_variants_are_edits_that_their_perturbation_has_for_the_whole_text(example: Any) -> None:
    drawn = variants(example.item, example.lang, 16, 3, 512)
    assert len(drawn) == 16
    for variant in drawn:
        offered = set(perturbations.get(variant.probe)(example.item.text, languages.get(example.lang)))
        assert variant.edits and set(variant.edits) <= offered
        assert variant.item.text == splice(example.item.text, variant.edits) != example.item.text


def test_variants_are_fixed_by_seed_and_few_are_the_first_of_many() -> None:
    item = Item(TEXT)
    eight = variants(item, "en", 8, 0, 512)
    assert eight == variants(item, "en", 8, 0, 512) == variants(item, "en", 20, 0, 512)[:8]
    assert eight != variants(item, "en", 8, 1, 512)
    assert [variant.probe for variant in eight] == list(MIX)


@given(text=st.text(max_size=80), pair=st.none() | st.text(max_size=40), lang=st.sampled_from(["en", "th", "ar", "xx"]))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_text_has_variants_or_none(text: str, pair: str | None, lang: str) -> None:
    for variant in variants(Item(text, pair), lang, 8, 0, 64):
        assert variant.item != Item(text, pair)
        assert variant.item.text == splice(text, variant.edits)
        assert variant.item.pair == (None if pair is None else splice(pair, variant.pair_edits))


def test_what_lies_beyond_the_reach_stays() -> None:
    for variant in variants(Item("vote " * 200), "en", 16, 0, 50):
        assert variant.item.text.endswith("vote " * 189)
    assert variants(Item("! ? ..."), "en", 8, 0, 512) == []


def test_a_card_is_what_the_answers_say() -> None:
    names = ("swap", "swap", "case", "drop")
    drawn = [Variant(name, Item(name), (), ()) for name in names]
    one = Drawn(SpokenLanguage(lang="en", source="given", confidence=None), drawn)
    rows = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.4, 0.2, 0.4]], np.float32)
    none = Drawn(one.language, [])
    (card, empty) = cards([one, none], rows[[0, 0, 1, 2, 3, 4]], LABELS, 5)
    assert (card.variants, card.flips, card.flip_rate) == (4, 2, 0.5)
    assert (card.low, card.high) == tuple(round(bound, 4) for bound in wilson(2, 4))
    assert (card.margin, card.least_margin) == (0.3, -0.7)
    assert card.weakest is not None and (card.weakest.name, card.weakest.flips, card.weakest.n) == ("case", 1, 1)
    assert card.worst is not None and (card.worst.probe, card.worst.label) == ("case", "politics")
    assert (empty.variants, empty.flip_rate, empty.worst, empty.margin) == (0, None, None, 0.3)


async def ask(http: httpx.AsyncClient, query: str, inputs: Any = TEXT, **more: Any) -> httpx.Response:
    return await http.post(f"/predict?{query}", json={"inputs": inputs, **more})


async def test_the_answer_is_the_usual_one_with_cards(http: httpx.AsyncClient, served: OnnxClassifier) -> None:
    plain = await http.post("/predict", json={"inputs": [TEXT, "zzz"], "top_k": 2})
    response = await ask(http, "robustness=8&lang=en&seed=4", [TEXT, "zzz"], top_k=2)
    assert response.headers["Server-Timing"].startswith("queue;dur=") and response.headers["X-Truncated"] == "0"
    answer = response.json()
    assert answer["predictions"] == plain.json()
    card, flat = answer["robustness"]
    assert (card["seed"], card["variants"], card["language"]["source"]) == (4, 8, "given")
    drawn = variants(Item(TEXT), "en", 8, 4, 4 * served.manifest.max_length)
    labels = served([Item(TEXT), *(variant.item for variant in drawn)]).argmax(axis=1)
    assert card["flips"] == int((labels[1:] != labels[0]).sum())
    assert card["worst"]["changed"] in [variant.item.text for variant in drawn]
    edits = card["worst"]["edits"]
    rebuilt = TEXT
    for edit in reversed(edits):
        rebuilt = rebuilt[: edit["start"]] + edit["new"] + rebuilt[edit["end"] :]
    assert rebuilt == card["worst"]["changed"]
    assert flat["margin"] == 0 and flat["flips"] == 0


async def test_the_same_request_has_the_same_card(http: httpx.AsyncClient) -> None:
    first, again, other = [(await ask(http, f"robustness=16&seed={seed}")).json() for seed in (0, 0, 1)]
    assert first == again != other
    assert first["robustness"][0]["language"]["source"] == "detected"
    assert isinstance(first["predictions"][0], dict)


async def test_a_fragile_text_flips_and_says_where(http: httpx.AsyncClient) -> None:
    card = (await ask(http, "robustness=64&lang=en", "vote vote team")).json()["robustness"][0]
    assert card["flips"] > 0 and card["low"] < card["flip_rate"] < card["high"]
    assert card["least_margin"] <= 0 < card["margin"]
    assert card["worst"]["label"] == "sports" and card["weakest"]["flips"] > 0


async def test_languages_are_given_once_or_for_each(http: httpx.AsyncClient) -> None:
    one = (await ask(http, "robustness=1&lang=de", ["vote", "Wahl"])).json()["robustness"]
    each = (await ask(http, "robustness=1&lang=en&lang=de", ["vote", "Wahl"])).json()["robustness"]
    assert [card["language"]["lang"] for card in (*one, *each)] == ["de", "de", "en", "de"]
    refused(await ask(http, "robustness=1&lang=en&lang=de", ["a", "b", "c"]), 422, "unequal_lengths", "3 inputs")


@pytest.mark.parametrize("query", ["robustness=0", "robustness=65", "robustness=x", "robustness=", "robustness=%C2%B2"])
async def test_a_number_that_is_none_is_refused(http: httpx.AsyncClient, query: str) -> None:
    refused(await ask(http, query), 422, "wrong_type", "robustness must be a whole number, 1 to 64")


async def test_bounds_hold_with_cards_too(http: httpx.AsyncClient, served: OnnxClassifier) -> None:
    refused(await ask(http, "robustness=1&seed=-1"), 422, "wrong_type", "seed")
    refused(await ask(http, "robustness=1&lang=../x"), 422, "wrong_type", "lang")
    refused(await ask(http, "lang=en"), 422, "contradiction", "robustness")
    refused(await ask(http, "robustness=8", "vote " * 60, truncate=False), 413, "too_many_tokens", "62 tokens")
    refused(await ask(http, "robustness=8", ["a"] * 5), 413, "too_many_texts")
    cut = await ask(http, "robustness=8", ["vote " * 60, "vote"])
    assert cut.headers["X-Truncated"] == "1"
    async with client(served, Settings(max_robustness_rows=10)) as small:
        refused(await ask(small, "robustness=5", ["a", "b"]), 413, "too_many_variants", "12 texts", "10")


async def test_pairs_are_changed_on_both_sides(tmp_path: Path) -> None:
    folder = build_model_folder(tmp_path / "pairs", pairs=True, max_length=64)
    async with client(OnnxClassifier(folder, threads=1)) as http:
        texts = [{"text": "the team of the year", "text_pair": "a match to remember"}]
        card = (await ask(http, "robustness=32&lang=en", texts)).json()["robustness"][0]
        worst = card["worst"]
        assert card["variants"] == 32 and worst["edits"] + worst["pair_edits"]
        assert (worst["changed"], worst["changed_pair"]) != ("the team of the year", "a match to remember")
