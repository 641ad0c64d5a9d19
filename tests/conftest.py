"""Fixtures that several test files share: a small model's interface in process, a server to abuse, the page."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from runtime.classifier import OnnxClassifier
from tests.fakes_interface import client
from tests.fakes_model import KEYWORDS, build_model_folder
from tests.fakes_service import Server, serving

if TYPE_CHECKING:  # without a browser only the tests that need one are skipped
    from tests.fakes_page import Browser, Page


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


@pytest.fixture(scope="session")
def abused_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model_folder(tmp_path_factory.mktemp("model") / "keywords")


@pytest.fixture(scope="session")
def abused(abused_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server, soon tired of heads that do not come."""
    with serving(abused_folder, tmp_path_factory.mktemp("log") / "log.txt", HEADER_TIMEOUT_S="2") as started:
        yield started


@pytest.fixture(scope="session")
def posts(abused: Server) -> list[str]:
    """Every address that takes a body, with the names in it filled in."""
    paths = httpx.get(f"{abused.url}/openapi.json").json()["paths"]
    found = [path for path, ways in paths.items() if "requestBody" in ways.get("post", {})]
    assert len(found) >= 5
    [version] = httpx.get(f"{abused.url}/v2/models/keywords").json()["versions"]
    return [re.sub(r"\{\w+\}", "keywords", path.replace("{version}", version)) for path in found]


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page's service, with a model that sees nothing, one of pairs, and a candidate."""
    from tests.fakes_page import page_service

    folder = tmp_path_factory.mktemp("page")
    blunt = build_model_folder(folder / "blunt", keywords={})
    sharp = build_model_folder(folder / "next", keywords=KEYWORDS)
    pairs = build_model_folder(folder / "pairs", pairs=True)
    served = {"keywords": folder / "keywords", "blunt": blunt, "pairs": pairs}
    models = {"MODELS": ",".join(f"{name}={path}" for name, path in served.items()), "SHADOW": f"keywords={sharp}"}
    with page_service(folder, **models) as server:
        yield server.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of one file only: while it is there, no other event loop runs in this thread."""
    from tests.fakes_page import chromium

    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    from tests.fakes_page import loaded, ready

    with loaded(browser, address, permissions=["clipboard-read", "clipboard-write"]) as opened:
        ready(opened)
        yield opened


@pytest.fixture
def troubled(browser: Browser, address: str) -> Iterator[Page]:
    """The page where requests are made to fail, about which the browser may complain."""
    from tests.fakes_page import loaded, ready

    with loaded(browser, address, errors=True) as opened:
        ready(opened)
        yield opened
