"""Names to things: a folder of modules is discovered, a wrong name is told what it may have meant."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

Thing = TypeVar("Thing")


class UnknownName(KeyError):
    """A name nothing is known under; the message lists near ones."""

    def __str__(self) -> str:
        return str(self.args[0])


def unknown(kind: str, name: str, known: Iterable[str]) -> UnknownName:
    """The error for a name that is not known, with what it may have meant."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=3)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {', '.join(known)}"
    return UnknownName(f"no {kind} is called {name!r}; {hint}")


def load_object(name: str) -> Any:
    """What "package.module:attribute" names; UnknownName says which part of it does not exist."""
    module_name, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except ModuleNotFoundError as error:
        raise UnknownName(f"{name!r}: there is no module {error.name!r} to import") from error
    except AttributeError as error:
        raise UnknownName(f"{name!r}: module {module_name!r} has no {attribute!r}") from error


class Registry(Generic[Thing]):
    """Things by name, registered by the modules of one package, which are imported when first asked for."""

    def __init__(self, kind: str, package: str) -> None:
        self._kind = kind
        self._package = package
        self._things: dict[str, Thing] = {}
        self._discovered = False

    def add(self, name: str, thing: Thing) -> None:
        """Register a thing; a name can be taken once."""
        if name in self._things:
            raise ValueError(f"there are two {self._kind}s called {name!r}")
        self._things[name] = thing

    def names(self) -> tuple[str, ...]:
        """Every registered name, sorted."""
        self._discover()
        return tuple(sorted(self._things))

    def get(self, name: str) -> Thing:
        """The thing of that name; UnknownName with near ones if there is none."""
        self._discover()
        if name not in self._things:
            raise unknown(self._kind, name, self._things)
        return self._things[name]

    def _discover(self) -> None:
        if not self._discovered:
            for module in pkgutil.iter_modules(importlib.import_module(self._package).__path__):
                importlib.import_module(f"{self._package}.{module.name}")
            self._discovered = True
