"""Model folders that take one another's place, and a service over them in process."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from service.interface import Interface
from service.models import Models
from service.settings import Settings
from tests.fakes_interface import Client
from tests.fakes_model import KEYWORDS, build_model_folder
from tests.fakes_prober import probing

OLD, NEW = "politics", "sports"


def two_folders(path: Path) -> tuple[Path, Path, Path]:
    """A link, and the two folders it may point to; they differ in what they make of "vote"."""
    old = build_model_folder(path / "old")
    new = build_model_folder(path / "new", keywords={**KEYWORDS, "politics": ("election",), "sports": ("team", "vote")})
    link = path / "current"
    link.symlink_to(old)
    return link, old, new


def switch(link: Path, target: Path) -> None:
    """Point a link elsewhere, at once."""
    aside = link.with_name("aside")
    aside.symlink_to(target)
    aside.rename(link)


def looked(models: Models) -> None:
    """What the watching thread does in half a second: look twice, for only what stands still is opened."""
    for name in models.names:
        models.served(name).look()
        models.served(name).look()


@asynccontextmanager
async def serving_models(settings: Settings, models: Models) -> AsyncIterator[Client]:
    """A client of the models, which are closed after it."""
    prober = probing(settings, models.get().classifier, models)
    unused = tempfile.TemporaryDirectory(prefix="babelproof-test-")
    async with Client(Interface(settings, models, prober), unused) as client:
        yield client
    models.close()
