"""Training and test data named in recipes: sets in the data folder, JSONL files, and the datasets library."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from probes.types import Example, Item

_ENDINGS = (".jsonl.gz", ".jsonl")


class DataError(ValueError):
    """Data that are absent, unlabelled or not what the recipe says."""


@dataclass(frozen=True)
class Source:
    """Where rows come from: "SET:SPLIT[:LANGS]", "jsonl:PATH[:LANGS]" or "hub:NAME:SPLIT[:LANGS]" (LANGS: de,fr).

    text, pair, label, lang and id name the columns; a row without a pair is a single text, without an id it is
    known by its number, without a language it is English.
    """

    source: str
    config: str | None = None
    """Configuration of a hub set."""
    text: str = "text"
    pair: str = "text_pair"
    label: str = "label"
    lang: str = "lang"
    id: str = "id"

    def __post_init__(self) -> None:
        if not 2 <= len(self._parts) <= 4 or not all(self._parts):
            raise ValueError(
                f"the source {self.source!r} is not SET:SPLIT[:LANGS], jsonl:PATH[:LANGS] or hub:NAME:SPLIT[:LANGS]."
            )
        if "sealed" in Path(self.source.replace(":", "/")).parts:
            raise ValueError(
                f"{self.source!r}: sealed data are for the last evaluation only and are never loaded here."
            )

    @classmethod
    def parse(cls, source: str) -> Source:
        """A source given as its string alone."""
        return cls(source)

    @property
    def _parts(self) -> list[str]:
        return self.source.split(":")

    @property
    def set_name(self) -> str:
        """What the licences of a recipe call this source: the set, the file's path or the hub name."""
        return self._parts[1] if self._parts[0] in ("jsonl", "hub") else self._parts[0]

    @property
    def split(self) -> str:
        """The split; empty for a plain file."""
        return {"jsonl": "", "hub": self._parts[2] if len(self._parts) > 2 else "train"}.get(
            self._parts[0], self._parts[1]
        )

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages the source is limited to; empty: all."""
        rest = self._parts[3:] if self._parts[0] == "hub" else self._parts[2:]
        return tuple(rest[0].split(",")) if rest else ()


@dataclass(frozen=True)
class Loaded:
    """Rows with what identifies them: SHA-256 by file (relative to the data folder) or hub name."""

    examples: tuple[Example, ...]
    hashes: Mapping[str, str]

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels that occur, sorted."""
        return tuple(sorted({example.label for example in self.examples if example.label is not None}))


def load(sources: Sequence[Source], root: Path, languages: Sequence[str] | None = None) -> Loaded:
    """All rows of the sources, in order, of the languages asked for (None: all); every row has a label."""
    examples: list[Example] = []
    hashes: dict[str, str] = {}
    for source in sources:
        kind = source.source.split(":")[0]
        rows, found = _from_hub(source) if kind == "hub" else _from_files(source, root)
        wanted = set(source.languages or languages or ())
        if languages is not None:
            wanted &= set(languages)
        kept = [row for row in rows if row.lang in wanted] if source.languages or languages is not None else rows
        unlabelled = [row.id for row in kept if row.label is None]
        if unlabelled:
            raise DataError(f"{source.source}: {len(unlabelled)} rows have no label (the first: id {unlabelled[0]}).")
        if not kept:
            present = ", ".join(sorted({row.lang for row in rows})[:20])
            raise DataError(
                f"{source.source}: no rows in {', '.join(sorted(wanted)) or 'any language'}; "
                f"the languages there are {present or 'none'}."
            )
        examples.extend(kept)
        hashes.update(found)
    return Loaded(tuple(examples), hashes)


def limited(loaded: Loaded, rows: int | None, rng: np.random.Generator) -> Loaded:
    """At most `rows` rows of each language, drawn without replacement and left in their order."""
    if rows is None:
        return loaded
    places: dict[str, list[int]] = {}
    for place, example in enumerate(loaded.examples):
        places.setdefault(example.lang, []).append(place)
    chosen = [rng.permutation(where)[:rows] for where in places.values()]
    return replace(loaded, examples=tuple(loaded.examples[place] for place in sorted(np.concatenate(chosen))))


def _from_files(source: Source, root: Path) -> tuple[list[Example], dict[str, str]]:
    examples: list[Example] = []
    hashes: dict[str, str] = {}
    for path in _paths(source, root):
        if "sealed" in path.resolve().parts:
            raise DataError(f"{source.source}: {path} leads to sealed data, which are never loaded here.")
        content = path.read_bytes()
        hashes[path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name] = hashlib.sha256(
            content
        ).hexdigest()
        examples.extend(_read(source, path, content))
    return examples, hashes


def _read(source: Source, path: Path, content: bytes) -> Iterator[Example]:
    try:
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as UTF-8 text: {error}") from error
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ValueError("an object was expected")
                yield _example(source, row, number)
            except ValueError as error:
                raise DataError(f"{path}, line {number}: {error}") from error


def _example(source: Source, row: Mapping[str, Any], number: int) -> Example:
    text, pair, label = row.get(source.text), row.get(source.pair), row.get(source.label)
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"the column {source.text!r} holds no text; the columns are {', '.join(row)}")
    if pair is not None and not isinstance(pair, str):
        raise ValueError(f"the column {source.pair!r} holds {pair!r} where a text was expected")
    return Example(
        str(row.get(source.id, number)),
        Item(text, pair),
        str(row.get(source.lang, "en")),
        None if label is None else str(label),
    )


def _paths(source: Source, root: Path) -> list[Path]:
    if source.source.startswith("jsonl:"):
        path = root / source.set_name
        if not path.is_file():
            raise DataError(f"{source.source}: there is no file {path.absolute()}.")
        return [path]
    folder = root / source.set_name
    if not folder.is_dir():
        raise DataError(
            f"{source.source}: the data folder {root.absolute()} has no set {source.set_name!r}. "
            "Name the folder that has it with --data."
        )
    stems = [source.split, *(f"{source.split}.{lang}" for lang in source.languages)]
    paths = [folder / f"{stem}{ending}" for stem in stems for ending in _ENDINGS]
    found = [path for path in paths if path.is_file()]
    if not found:
        there = ", ".join(sorted(path.name for path in folder.iterdir())[:30])
        raise DataError(
            f"{source.source}: looked in {folder.absolute()} for {' or '.join(p.name for p in paths)}; "
            f"it holds {there or 'nothing'}."
        )
    return found


def _from_hub(source: Source) -> tuple[list[Example], dict[str, str]]:
    import datasets  # slow to import, and most runs read files

    try:
        rows = datasets.load_dataset(source.set_name, source.config, split=source.split)
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(f"{source.source}: the datasets library could not load it: {error}") from error
    for column in (source.text, source.label):
        if column not in rows.column_names:
            there = ", ".join(rows.column_names)
            raise DataError(f"{source.source}: there is no column {column!r}; the columns are {there}.")
    classes = getattr(rows.features[source.label], "names", None)
    examples = []
    for number, row in enumerate(rows):
        if classes is not None and row[source.label] is not None:
            row[source.label] = classes[row[source.label]] if row[source.label] >= 0 else None
        try:
            examples.append(_example(source, row, number))
        except ValueError as error:
            raise DataError(f"{source.source}, row {number}: {error}") from error
    name = source.source if source.config is None else f"{source.source} ({source.config})"
    return examples, {name: _digest(examples)}


def _digest(examples: Iterable[Example]) -> str:
    digest = hashlib.sha256()
    for row in examples:
        digest.update(json.dumps([row.id, row.item.text, row.item.pair, row.lang, row.label]).encode())
    return digest.hexdigest()
