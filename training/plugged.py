"""Modules whose attributes are folders: in a battery `module:FOLDER` names what the module makes of the model there."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

Thing = TypeVar("Thing")


def opening(make: Callable[[str], Thing], kind: str) -> Callable[[str], Thing]:
    """The `__getattr__` of such a module: makes a thing of a folder, once; ValueError where the folder has no model."""
    made = lru_cache(maxsize=2)(make)

    def of_folder(name: str) -> Thing:
        if name.startswith("__"):
            raise AttributeError(name)
        if not Path(name, "config.json").is_file():
            raise ValueError(f"{name} is no folder of {kind}: there is no config.json in it")
        return made(name)

    return of_folder
