"""A source of rows as a recipe names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class DataError(ValueError):
    """Data that are absent, unlabelled or not what the recipe says."""


@dataclass(frozen=True)
class Source:
    """Where rows come from: "SET:SPLIT[:LANGS]", "file:PATH[:LANGS]" or "hub:NAME:SPLIT[:LANGS]" (LANGS: de,fr).

    text, pair, label, lang and id name the columns; a row without a pair is a single text, without an id it is known
    by its number. A row without a language is in the one that its file name or the source names, else English.
    """

    source: str
    config: str | None = None
    """Configuration of a hub set."""
    text: str = "text"
    pair: str = "text_pair"
    label: str = "label"
    lang: str = "lang"
    id: str = "id"
    labels: Mapping[str, str] = field(default_factory=dict)
    """Names of the labels by what stands in the column, such as { 0 = "contradiction" }; empty: as they stand."""
    absent: tuple[str, ...] = ()
    """Texts and labels that stand for none ("": an empty cell); a row with one is left out, and counted."""

    def __post_init__(self) -> None:
        least = 3 if self.kind == "hub" else 2
        parts = self.source.split(":")
        if not all(parts) or not least <= len(parts) <= least + 1:
            raise ValueError(
                f"the source {self.source!r} is not SET:SPLIT[:LANGS], file:PATH[:LANGS] or hub:NAME:SPLIT[:LANGS]."
            )
        if self.config is not None and self.kind != "hub":
            raise ValueError(f"the source {self.source!r}: only a hub: source has a config.")
        if "sealed" in Path(self.source.replace(":", "/")).parts:
            raise ValueError(
                f"{self.source!r}: sealed data are for the last evaluation only and are never loaded here."
            )

    @classmethod
    def parse(cls, source: str) -> Source:
        """A source given as its string alone."""
        return cls(source)

    @property
    def kind(self) -> str:
        """file, hub or set."""
        first = self.source.split(":")[0]
        return first if first in ("file", "hub") else "set"

    @property
    def set_name(self) -> str:
        """What the licences of a recipe call this source: the set, the file's path or the hub name."""
        return self.source.split(":")[0 if self.kind == "set" else 1]

    @property
    def split(self) -> str:
        """The split; empty for a plain file."""
        return "" if self.kind == "file" else self.source.split(":")[2 if self.kind == "hub" else 1]

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages the source is limited to; empty: all."""
        rest = self.source.split(":")[3 if self.kind == "hub" else 2 :]
        return tuple(rest[0].split(",")) if rest else ()

    @property
    def language(self) -> str:
        """The language of rows that name none."""
        return self.languages[0] if len(self.languages) == 1 else "en"
