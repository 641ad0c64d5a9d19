"""Models by name: reloaded under load, refused when broken, rolled back, in all workers and after a restart."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from service.models import Models
from service.settings import Settings, SettingsError
from tests.fakes_interface import Client, post, refused
from tests.fakes_models import NEW, OLD, looked, serving_models, switch, two_folders

ASKERS = 8


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A link to the first of two folders, and both; "vote" is politics in the old one and sports in the new one."""
    return two_folders(tmp_path)


@pytest.fixture
def settings(folders: tuple[Path, Path, Path], tmp_path: Path) -> Settings:
    return Settings(model=folders[0], state=tmp_path / "state", workers=1, threads=1)


@pytest.fixture
def models(settings: Settings) -> Models:
    return Models.open(settings)


@pytest.fixture
async def http(settings: Settings, models: Models) -> AsyncIterator[Client]:
    async with serving_models(settings, models) as client:
        yield client


async def label(http: httpx.AsyncClient, path: str = "/predict") -> str:
    response = await post(http, path, {"inputs": "vote"})
    assert response.status_code == 200, response.text
    return str(response.json()[0]["label"])


async def told(http: httpx.AsyncClient, name: str = "current") -> dict[str, object]:
    return (await http.get(f"/models/{name}")).json()  # type: ignore[no-any-return]


async def swapped_under_load(http: httpx.AsyncClient, models: Models, folders: tuple[Path, Path, Path], n: int) -> None:
    link, *targets = folders
    answered: list[str] = []
    done = False

    async def ask() -> None:
        while not done:
            answered.append(await label(http))

    asking = [asyncio.create_task(ask()) for _ in range(ASKERS)]
    try:
        for number in range(n):
            before = len(answered)
            switch(link, targets[(number + 1) % 2])
            await asyncio.to_thread(looked, models)
            assert models.served().swaps["reload"] == number + 1
            while len(answered) < before + ASKERS and not any(task.done() for task in asking):
                await asyncio.sleep(0.001)
    finally:
        done = True
    await asyncio.gather(*asking)
    assert set(answered) == {OLD, NEW}
    assert len(list(models.served().slots)) == 2


async def test_forty_swaps_under_load_fail_no_request(
    http: Client, models: Models, folders: tuple[Path, Path, Path]
) -> None:
    await swapped_under_load(http, models, folders, 40)


@pytest.mark.slow
async def test_a_thousand_swaps_under_load_fail_no_request(
    http: Client, models: Models, folders: tuple[Path, Path, Path]
) -> None:
    await swapped_under_load(http, models, folders, 1000)


async def test_folders_may_be_renamed_in_place_of_a_link(tmp_path: Path) -> None:
    _, old, new = two_folders(tmp_path)
    served = tmp_path / "served"
    shutil.copytree(old, served)
    settings = Settings(model=served, state=tmp_path / "state", threads=1)
    models = Models.open(settings)
    async with serving_models(settings, models) as http:
        assert await label(http) == OLD
        served.rename(tmp_path / "before")
        shutil.copytree(new, tmp_path / "incoming")
        looked(models)
        assert await label(http) == OLD  # nothing lies there: what was served goes on
        (tmp_path / "incoming").rename(served)
        looked(models)
        assert await label(http) == NEW


async def test_a_half_copied_folder_is_refused_until_it_is_whole(
    http: Client, models: Models, folders: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    link, _, new = folders
    half = tmp_path / "half"
    half.mkdir()
    for name in ("manifest.json", "tokenizer.json", "README.md"):
        shutil.copy(new / name, half / name)
    switch(link, half)
    looked(models)
    assert await label(http) == OLD
    assert "model.onnx: missing" in (await told(http))["refused"]["model"]  # type: ignore[index]
    assert str(tmp_path) not in str(await told(http))
    (half / "model.onnx").write_bytes((new / "model.onnx").read_bytes()[:-1])
    looked(models)
    assert await label(http) == OLD
    assert (await http.get("/metrics")).text.count('babelproof_model_refused_total{model="current"} 2.0') == 1
    shutil.copy(new / "model.onnx", half / "model.onnx")
    looked(models)
    assert await label(http) == NEW
    assert (await told(http))["refused"] == {}


async def test_a_rollback_holds_in_all_workers_after_a_restart_and_until_new_content(
    http: Client, settings: Settings, models: Models, folders: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    link, old, new = folders
    other = Models.open(settings)
    refused(await post(http, "/models/current/rollback", {}), 409, "no_previous_model")
    switch(link, new)
    looked(models)
    looked(other)
    assert await label(http) == NEW
    answer = (await post(http, "/models/current/rollback", {})).json()
    assert (answer["previous"], answer["swaps"]) == (models.served().previous.sha256, {"reload": 1, "rollback": 1})  # type: ignore[union-attr]
    assert await label(http) == OLD
    looked(other)
    restarted = Models.open(settings)
    for one in (models, other, restarted):
        looked(one)
        assert one.get().manifest.sha256 == answer["active"]["sha256"]
    # forth again, then new content in the folder ends what was said
    assert (await post(http, "/models/current/rollback", {})).status_code == 200
    assert await label(http) == NEW
    shutil.copytree(old, tmp_path / "third")
    switch(link, tmp_path / "third")
    for one in (models, other, restarted):
        looked(one)
        assert one.get().manifest.sha256 == answer["active"]["sha256"]


async def test_a_restarted_worker_opens_the_model_of_a_rollback_only_if_it_is_still_there(
    settings: Settings, models: Models, folders: tuple[Path, Path, Path]
) -> None:
    link, old, new = folders
    switch(link, new)
    looked(models)
    models.served().rollback()
    shutil.rmtree(old)
    restarted = Models.open(settings)
    assert restarted.get().manifest.sha256 == models.served().previous.sha256  # type: ignore[union-attr]
    assert "pointer" in restarted.served().refused


async def test_several_models_answer_by_name(tmp_path: Path) -> None:
    _, old, new = two_folders(tmp_path)
    settings = Settings(models=f"old={old},new={new}", state=tmp_path / "state", threads=1)
    async with serving_models(settings, Models.open(settings)) as http:
        assert await label(http) == await label(http, "/models/old/predict") == OLD
        assert await label(http, "/models/new/predict") == NEW
        listed = (await http.get("/models")).json()["models"]
        assert [(one["name"], one["default"]) for one in listed] == [("old", True), ("new", False)]
        missing = await post(http, "/models/older/predict", {"inputs": "vote"})
        refused(missing, 404, "unknown_model", "old, new")
        refused(await post(http, "/models/older/predict", {"inputs": 5}), 404, "unknown_model")
        metrics = (await http.get("/metrics")).text
        assert 'babelproof_requests_total{method="POST",route="/models/{name}/predict",status="200"} 2.0' in metrics
        assert 'babelproof_engine_rows_total{model="new"} 1.0' in metrics


@pytest.mark.parametrize("text", ["topics", "=models/topics", "a=x,a=y", "a/b=x", "a="])
def test_a_malformed_list_of_models_is_named(text: str) -> None:
    with pytest.raises(SettingsError, match="BABELPROOF_MODELS"):
        Models.open(Settings(models=text))


def test_a_candidate_for_no_model_is_named(folders: tuple[Path, Path, Path]) -> None:
    with pytest.raises(SettingsError, match="BABELPROOF_SHADOW"):
        Models.open(Settings(model=folders[0], shadow="other=x", threads=1))
