"""Engines that are replaced as they are asked, that break, that nobody needs; folders that open at the second try."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from probes.types import Item
from runtime.backends import Backend
from runtime.classifier import OnnxClassifier, Prediction
from runtime.engine import Engine, EngineError
from runtime.manifest import ModelFolderError
from service.http.errors import Refusal
from service.models import Models, Served
from service.models.folder import Opened, Place, Watched
from service.models.served import Slots
from service.settings import Settings
from tests.fakes_interface import post
from tests.fakes_models import looked, serving_models, switch, two_folders


class Replaced(Engine):
    """One that is replaced, and closed, just when it is asked."""

    replaced: Callable[[], None]

    async def predict(self, *asked: Any, **how: Any) -> Prediction:
        self.replaced()
        self.close()
        return await super().predict(*asked, **how)


@pytest.mark.parametrize("path", ["/predict", "/predict?robustness=2&lang=en", "/v2/models/current/infer"])
async def test_whoever_asks_an_engine_that_is_just_replaced_asks_the_next(
    served: OnnxClassifier, tmp_path: Path, path: str
) -> None:
    place = Place(served.manifest.sha256, Path())
    old, new = Replaced(served), Opened(Engine(served), place)
    current = Served("current", Opened(old, place))
    old.replaced = lambda: setattr(current, "slots", Slots(new))
    tensor = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["vote"]}
    async with serving_models(Settings(state=tmp_path), Models([current])) as http:
        answer = await post(http, path, {"inputs": [tensor] if "infer" in path else "vote"})
    assert answer.status_code == 200, answer.text


def test_an_engine_that_breaks_is_told(served_folder: Path) -> None:
    class Breaking(OnnxClassifier):
        @property
        def backend(self) -> Backend:
            raise SystemExit

    models, told = Models.over("current", Breaking(served_folder, threads=1)), threading.Event()
    models.start(told.set)
    with pytest.raises(EngineError, match="broke"):
        models.get().submit([Item("vote")]).result(10)
    assert told.wait(10)
    models.close()


def test_what_was_opened_and_is_not_served_is_closed(tmp_path: Path) -> None:
    link, old, new = two_folders(tmp_path)
    settings = Settings(model=link, state=tmp_path / "state", threads=1)
    models, opened = Models.open(settings), list[Engine]()
    pointer = settings.state / "models" / "current.json"

    def opener(folder: Path) -> Engine:
        if opened and folder.samefile(old) and pointer.is_file():
            models.served().rollback()  # forth again, while this worker opens what it was to go back to
        opened.append(Engine(OnnxClassifier(folder, threads=1)))
        return opened[-1]

    switch(link, new)
    looked(models)
    models.served().rollback()
    late = Models.open(settings, opener)
    assert len(opened) == 2 and late.get() is opened[0]
    looked(late)
    pointer.unlink()
    pointer.mkdir()
    with pytest.raises(Refusal) as refusal:
        late.served().rollback()
    assert refusal.value.code == "state_unwritable" and len(opened) == 3 and late.get() is opened[0]
    time.sleep(1.05)
    looked(late)
    for engine in opened[1:]:
        with pytest.raises(RuntimeError, match="closed"):
            _ = engine.classifier.backend
    assert len(list(late.served().slots)) == 1 and opened[0].classifier.backend
    for one in (models, late):
        one.close()


def test_a_folder_is_tried_again_where_the_reason_may_pass(tmp_path: Path) -> None:
    now = [0.0]
    watched = Watched(tmp_path, lambda: now[0])

    def failing(error: Exception) -> None:
        def opener(_: Path) -> Engine:
            raise error

        with pytest.raises(type(error)):
            watched.open(opener)

    assert [watched.news(), watched.news()] == [False, True]
    for wait in (1, 2, 4):
        failing(OSError("no memory"))
        now[0] += wait - 0.1
        assert not watched.news()
        now[0] += 0.2
        assert watched.news()
    failing(ModelFolderError("no model"))
    now[0] += 1000
    assert not watched.news()
