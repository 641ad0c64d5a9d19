"""The attacks, one file each: found by the name of the file, or somebody else's by `their.module:thing`."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from probes.registry import UnknownName, load_object, unknown
from probes.types import Attack


def names() -> tuple[str, ...]:
    """The names of the attacks that ship: those of their files, with hyphens."""
    return tuple(sorted(module.name.replace("_", "-") for module in iter_modules(__path__)))


def get(name: str) -> Attack:
    """The attack of this name, or what "their.module:thing" names; UnknownName names near ones."""
    if ":" in name:
        found = load_object(name)
        if not callable(found):
            raise UnknownName(f"{name!r} is no attack: it cannot be called")
        return cast(Attack, found)
    if name not in names():
        raise unknown("attack", name, names())
    own = name.replace("-", "_")
    return cast(Attack, getattr(import_module(f"{__name__}.{own}"), own))


def describe(name: str) -> str:
    """One line that says what the attack does."""
    return (get(name).__doc__ or "").strip().partition("\n")[0]
