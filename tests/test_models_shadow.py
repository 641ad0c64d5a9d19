"""A candidate beside a model: compared on live texts by language, judged at any time, promoted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from probes.types import Item
from service.models import Models
from service.models.shadow import Shadow
from service.models.tally import merged, report
from service.settings import Settings
from tests.fakes_interface import Client, post, refused
from tests.fakes_models import NEW, OLD, looked, serving_models, two_folders
from tests.fakes_service import eventually

GERMAN = "Der Arzt arbeitet seit vielen Jahren in diesem Krankenhaus in Berlin"
ENGLISH = "The vote of the whole country was read out to them"
SECONDS = 30


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    link, _, new = two_folders(tmp_path)
    return Settings(model=link, shadow=f"current={new}", shadow_rate=1.0, state=tmp_path / "state", threads=1)


@pytest.fixture
def models(settings: Settings) -> Models:
    opened = Models.open(settings)
    looked(opened)
    return opened


@pytest.fixture
async def http(settings: Settings, models: Models) -> AsyncIterator[Client]:
    async with serving_models(settings, models) as client:
        yield client


async def compared(http: httpx.AsyncClient, n: int) -> dict[str, object]:
    """The report, once it holds so many texts."""
    async with asyncio.timeout(SECONDS):
        while (said := (await http.get("/models/current/shadow")).json())["overall"]["n"] < n:
            await asyncio.sleep(0.02)
    return said  # type: ignore[no-any-return]


async def test_disagreement_is_told_by_language_with_its_flow_and_a_verdict(http: Client) -> None:
    for _ in range(3):
        assert (await post(http, "/predict", {"inputs": [ENGLISH] * 20 + [GERMAN] * 20})).status_code == 200
    # as many as are held at a time, no more: the rest was dropped
    said = await compared(http, 120)
    rows = {row["lang"]: row for row in said["languages"]}  # type: ignore[attr-defined]
    assert (rows["en"]["n"], rows["en"]["disagreements"], rows["en"]["verdict"]) == (60, 60, "different")
    assert rows["en"]["flow"] == [{"from": OLD, "to": NEW, "n": 60}]
    assert rows["de"]["disagreements"] == 0 and rows["de"]["verdict"] == "open"
    assert said["overall"]["low"] < 0.5 < said["overall"]["high"]  # type: ignore[index]


async def test_counts_of_all_workers_are_added_up(http: Client, settings: Settings) -> None:
    other = Models.open(settings)
    looked(other)
    async with serving_models(settings, other) as second:
        for one in (http, second):
            await post(one, "/predict", {"inputs": [GERMAN] * 10})
        for one in (http, second):
            assert (await compared(one, 20))["overall"]["n"] == 20  # type: ignore[index]


async def test_the_candidate_is_promoted_and_the_model_is_a_rollback_away(http: Client, models: Models) -> None:
    before = models.get().manifest.sha256
    candidate = (await http.get("/models/current")).json()["candidate"]["sha256"]
    promoted = (await post(http, "/models/current/promote", {})).json()
    assert (promoted["active"]["sha256"], promoted["previous"], promoted["candidate"]) == (candidate, before, None)
    assert (await post(http, "/predict", {"inputs": "vote"})).json()[0]["label"] == NEW
    refused(await post(http, "/models/current/promote", {}), 409, "no_candidate")
    refused(await http.get("/models/current/shadow"), 409, "no_candidate")
    looked(models)
    back = (await post(http, "/models/current/rollback", {})).json()
    assert (back["active"]["sha256"], back["swaps"]) == (before, {"promote": 1, "rollback": 1})


async def test_a_broken_candidate_is_told_and_harms_nobody(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "new" / "tokenizer.json").write_text("{}")
    models = Models.open(settings)
    looked(models)
    async with serving_models(settings, models) as http:
        assert (await post(http, "/predict", {"inputs": "vote"})).json()[0]["label"] == OLD
        refused(await http.get("/models/current/shadow"), 409, "no_candidate", "tokenizer.json")


async def test_no_text_is_kept(http: Client, settings: Settings) -> None:
    await post(http, "/predict", {"inputs": [ENGLISH]})
    await compared(http, 1)
    kept = "".join(path.read_text() for path in settings.state.rglob("*.json"))
    assert '"n"' in kept and "country" not in kept


async def test_without_a_candidate_there_is_no_report(tmp_path: Path) -> None:
    link, *_ = two_folders(tmp_path)
    settings = Settings(model=link, state=tmp_path / "state", threads=1)
    async with serving_models(settings, Models.open(settings)) as http:
        refused(await http.get("/models/current/shadow"), 409, "no_candidate", "BABELPROOF_SHADOW")


class RungBetween(threading.Event):
    """Rung just before it is cleared for the first time."""

    def __init__(self, ring: Callable[[], None]) -> None:
        super().__init__()
        self._ring: list[Callable[[], None]] = [ring]

    def clear(self) -> None:
        while self._ring:
            self._ring.pop()()
        super().clear()


def test_a_text_that_comes_just_before_the_wait_is_not_left_lying(settings: Settings, models: Models) -> None:
    shadow, texts = Shadow(models.served(), settings), [Item(ENGLISH)]
    answered = models.get().classifier.predict(texts)
    before, shadow._bell = shadow._bell, RungBetween(lambda: shadow.offer(texts, answered))
    before.set()
    eventually(lambda: shadow.report()["overall"]["n"] == 1, 10)
    shadow.close()
    models.close()


def test_verdicts_wait_for_enough_and_tell_margins_apart() -> None:
    same = {"en": {"n": 4000.0, "margin": 400.0, "squares": 80.0, '["a", "b"]': 20.0}}
    few = {"en": {"n": 5.0, "margin": 0.0, "squares": 0.0}}
    said = report(merged([same, few]), tolerated=0.02, cells=5)["overall"]
    assert (said["n"], said["disagreements"], said["verdict"]) == (4005, 20, "same")
    assert said["margin_change"] == pytest.approx(400 / 4005)
    assert said["margin_low"] < said["margin_change"] < said["margin_high"]
    assert report(merged([few]), tolerated=0.02, cells=5)["overall"]["verdict"] == "open"
    assert report({}, tolerated=0.02, cells=1)["overall"]["n"] == 0
