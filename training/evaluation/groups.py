"""Groups of languages (family, branch, script, resource class) out of groups.toml, which names their sources."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

UNCLASSED = "unclassed"


@dataclass(frozen=True)
class Grouping:
    """One way to group languages: the groups by name, and where it comes from."""

    name: str
    source: str
    groups: Mapping[str, tuple[str, ...]]

    def of(self, languages: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The languages by group; zh-Hant stands with zh, except by script; what has no group comes last."""
        group_of = {lang: group for group, members in self.groups.items() for lang in members}
        found: dict[str, list[str]] = {group: [] for group in (*self.groups, UNCLASSED)}
        for lang in languages:
            known = lang if self.name == "script" else lang.split("-")[0]
            found[group_of.get(known, UNCLASSED)].append(lang)
        return {group: tuple(members) for group, members in found.items() if members}


@lru_cache(maxsize=1)
def groupings() -> tuple[Grouping, ...]:
    """Every grouping of the data file."""
    table = tomllib.loads((Path(__file__).parent / "groups.toml").read_text(encoding="utf-8"))
    sources = table.pop("sources")
    return tuple(
        Grouping(name, sources[name], {group: tuple(members) for group, members in groups.items()})
        for name, groups in table.items()
    )
