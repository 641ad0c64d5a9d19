"""Fixtures that several test files share: the HTTP interface of a small model, in process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from runtime.classifier import OnnxClassifier
from tests.fakes_interface import client
from tests.fakes_model import build_model_folder


@pytest.fixture(scope="session")
def served_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def served(served_folder: Path) -> OnnxClassifier:
    return OnnxClassifier(served_folder, threads=1)


@pytest.fixture
async def http(served: OnnxClassifier) -> AsyncIterator[httpx.AsyncClient]:
    async with client(served) as opened:
        yield opened
