"""From a path to what answers there; a part of a path in braces is a name, and metrics know the pattern alone."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from service.http.exchange import Exchange
from service.http.openapi import Operation
from service.keys.access import Needs

Endpoint = Callable[[Request], Awaitable[Response]]
Fast = Callable[[Exchange, Mapping[str, str]], Awaitable[bool]]
"""Answers a plain request itself; where it says no, the request is as it was."""


@dataclass(frozen=True, slots=True)
class Route:
    """What answers a request, and what the OpenAPI document says of it."""

    endpoint: Endpoint
    said: Operation
    needs: Needs = "use"
    fast: Fast | None = None
    """Asked before the endpoint."""


Table = dict[str, dict[str, Route]]
"""By path (or pattern) and method."""
_NAMED = re.compile(r"\\\{(\w+)\\\}")


class Group(Protocol):
    """Routes that belong together."""

    def routes(self) -> Table:
        """What answers, by path and method."""

    def close(self) -> None:
        """End what runs on behalf of these routes."""


@dataclass(frozen=True, slots=True)
class Match:
    """A path that is known: its pattern, the names in it, and what answers by method."""

    pattern: str
    names: Mapping[str, str]
    methods: Mapping[str, Route]


class Routing:
    """All routes; a path without names is one look into a table."""

    def __init__(self, groups: Iterable[Group]) -> None:
        table: Table = {}
        for group in groups:
            for path, methods in group.routes().items():
                table.setdefault(path, {}).update(methods)
        self.table = table
        self.plain = {path: Match(path, {}, methods) for path, methods in table.items() if "{" not in path}
        """What answers at the other paths."""
        self._named = [(_compiled(path), path, methods) for path, methods in table.items() if "{" in path]

    def find(self, path: str) -> Match | None:
        """What answers at a path with names in it, or None."""
        for pattern, said, methods in self._named:
            if (found := pattern.fullmatch(path)) is not None:
                return Match(said, found.groupdict(), methods)
        return None


def _compiled(path: str) -> re.Pattern[str]:
    return re.compile(_NAMED.sub(r"(?P<\1>[^/]{1,128})", re.escape(path)))
