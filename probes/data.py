"""Examples from a file: JSON lines, tab- or comma-separated (also gzipped), with a language, perhaps pair and label."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from probes.registry import unknown
from probes.types import Example, Item

if TYPE_CHECKING:
    from _csv import Reader

COLUMNS = ("id", "lang", "text", "text_pair", "label")


class DataError(ValueError):
    """Examples that cannot be used: which, where, and what is wrong."""


def read_examples(path: str | Path, limit_per_language: int | None = None) -> list[Example]:
    """Examples of a .jsonl, .tsv or .csv file (or either with .gz), the first ones of each language where limited.

    Columns: text and lang are needed; id (else the line number), text_pair and label are not; others are passed over.
    An id may stand once in a language: texts of one id in several languages are translations, one source.
    """
    ids: dict[tuple[str, str], int] = {}

    def once() -> Iterator[Example]:
        for line, example in _numbered(Path(path)):
            if (first := ids.setdefault((example.lang, example.id), line)) != line:
                raise DataError(f"{path}, line {line}: the {example.lang} id {example.id!r} is that of line {first}")
            yield example

    return list(_limited(once(), limit_per_language))


def stream_examples(path: str | Path, limit_per_language: int | None = None) -> Iterator[Example]:
    """The same one by one as they are wanted; whether an id repeats is not looked at, for that takes them all."""
    return _limited((example for _, example in _numbered(Path(path))), limit_per_language)


def check(examples: Iterable[Example], labels: tuple[str, ...]) -> None:
    """DataError where an id repeats in its language or a gold label is none of the model's."""
    ids: set[tuple[str, str]] = set()
    for example in checked(examples, labels):
        if (example.lang, example.id) in ids:
            raise DataError(f"two {example.lang} examples have the id {example.id!r}; an id stands once in a language")
        ids.add((example.lang, example.id))


def checked(examples: Iterable[Example], labels: tuple[str, ...]) -> Iterator[Example]:
    """The examples one by one; DataError where a gold label is none of the model's."""
    for example in examples:
        if example.label is not None and example.label not in labels:
            raise DataError(f"example {example.id!r}: {unknown('label of the model', example.label, labels)}")
        yield example


def _limited(examples: Iterable[Example], limit: int | None) -> Iterator[Example]:
    seen: Counter[str] = Counter()
    for example in examples:
        seen[example.lang] += 1
        if limit is None or seen[example.lang] <= limit:
            yield example


def _numbered(path: Path) -> Iterator[tuple[int, Example]]:
    """The examples of a file with their lines; DataError where there are none."""
    kinds = [suffix for suffix in path.suffixes if suffix != ".gz"][-1:]
    if kinds not in ([".jsonl"], [".tsv"], [".csv"]):
        raise DataError(f"{path}: the name of a data file ends in .jsonl, .tsv or .csv (or one of them with .gz)")
    rows = {".jsonl": _json_lines, ".tsv": _tab_separated, ".csv": _comma_separated}[kinds[0]]
    line = None
    with _opened(path) as file:
        for line, row in rows(path, file):
            yield line, _example(row, f"{path}, line {line}", line)
    if line is None:
        raise DataError(f"{path}: there are no examples in it")


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8", newline="")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8", newline="")
        ) as file:
            yield file
    except FileNotFoundError:
        raise DataError(f"there is no data file {path}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from error
    except (OSError, EOFError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def _json_lines(path: Path, file: Iterable[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(f"{path}, line {number}: not JSON ({error.msg} at column {error.colno})") from error
        if not isinstance(row, dict):
            raise DataError(f"{path}, line {number}: an object was expected, not {type(row).__name__}")
        yield number, row


def _tab_separated(path: Path, file: Iterable[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    return _separated(path, csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def _comma_separated(path: Path, file: Iterable[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    return _separated(path, csv.reader(file, strict=True))


def _separated(path: Path, rows: Reader) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        header = [name.removeprefix("\ufeff") for name in next(rows, [])]
        for cells in rows:
            if len(cells) > len(header):
                said = f"{len(cells)} cells, but the header names {len(header)} columns"
                raise DataError(f"{path}, line {rows.line_num}: {said}")
            if any(cells):
                yield rows.line_num, {name: cell for name, cell in zip(header, cells, strict=False) if cell}
    except csv.Error as error:
        raise DataError(f"{path}, line {rows.line_num}: {error}") from error


def _example(row: Mapping[str, Any], where: str, line: int) -> Example:
    for name in row:
        if name not in COLUMNS and get_close_matches(name, set(COLUMNS) - set(row), cutoff=0.75):
            raise DataError(f"{where}: {unknown('column', name, COLUMNS)}")
    for name in ("text", "lang"):
        if row.get(name) in (None, ""):
            raise DataError(f"{where}: {name} is missing or empty; the columns are {', '.join(row) or 'none'}")
    text, lang = _text(row, "text", where), _text(row, "lang", where)
    assert text is not None and lang is not None
    item = Item(text, _text(row, "text_pair", where))
    return Example(_id(row, where) or str(line), item, lang, _text(row, "label", where))


def _id(row: Mapping[str, Any], where: str) -> str | None:
    """The id as a text, whatever it is; 0 is one, and what is empty or missing none."""
    value = row.get("id")
    return _text({"id": None if value is None else str(value)}, "id", where)


def _text(row: Mapping[str, Any], name: str, where: str) -> str | None:
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise DataError(f"{where}: {name} must be a text, not {value!r}")
    if value is not None and any("\ud800" <= char <= "\udfff" for char in value):
        raise DataError(f"{where}: {name} holds half a character (a lone surrogate)")
    return value
