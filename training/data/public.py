"""Public sets by their own names: what public.toml says of each."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from training.data.source import Source
from training.tables import read

_TABLE = Path(__file__).parent / "public.toml"


@dataclass(frozen=True)
class PublicSet:
    """One set: its folder among the data, and its place, columns and label names on the hub."""

    title: str
    licence: str
    local: str = ""
    """Name of its folder; empty: its own name."""
    hub: str = ""
    """Name on the hub; empty: not there as texts with one label each."""
    revision: str | None = None
    layout: Literal["config", "folder"] = "config"
    """Whether a language is a configuration or a folder of the hub set."""
    languages: tuple[str, ...] = ()
    """Language codes, "de=german" where the hub writes another name."""
    splits: Mapping[str, str] = field(default_factory=lambda: {"train": "train", "dev": "validation", "test": "test"})
    """Our names of the splits and the hub's."""
    columns: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    absent: tuple[str, ...] = ()

    @property
    def places(self) -> dict[str, str]:
        """Language codes and what the hub calls them."""
        pairs = (entry.partition("=") for entry in self.languages)
        return {lang: name or lang for lang, _, name in pairs}

    def source(self, split: str, lang: str) -> Source:
        """The rows of a language on the hub."""
        return Source(
            f"hub:{self.hub}:{self.splits[split]}:{lang}",
            config=self.places[lang] if self.layout == "config" else None,
            labels=self.labels,
            absent=self.absent,
            **self.columns,
        )

    def folder(self, lang: str) -> str | None:
        """The folder of a language in the hub set, where it has one."""
        return self.places[lang] if self.layout == "folder" else None


@cache
def public_sets() -> Mapping[str, PublicSet]:
    """The table, read once; a set is also known by the name of its folder."""
    tables = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    found = {name: read(PublicSet, table, f"{_TABLE.name}: {name}") for name, table in tables.items()}
    return MappingProxyType({known.local: known for known in found.values() if known.local} | found)
