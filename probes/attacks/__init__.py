"""The attacks, one file each: found by the name of the file, or somebody else's by `their.module:thing`."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from probes.registry import load_object, unknown
from probes.types import Attack


def names() -> tuple[str, ...]:
    """The names of the attacks that ship."""
    return tuple(sorted(module.name for module in iter_modules(__path__)))


def get(name: str) -> Attack:
    """The attack of this name; UnknownName names near ones."""
    if ":" in name:
        return cast(Attack, load_object(name))
    if name not in names():
        raise unknown("attack", name, names())
    return cast(Attack, getattr(import_module(f"{__name__}.{name}"), name))


def describe(name: str) -> str:
    """One line that says what the attack does."""
    return (get(name).__doc__ or "").strip().splitlines()[0]
