"""Examples from a file: JSON lines (also gzipped) or tab-separated, with a language, perhaps a pair and a label."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Any

from probes.registry import unknown
from probes.types import Example, Item

COLUMNS = ("id", "lang", "text", "text_pair", "label")


class DataError(ValueError):
    """Examples that cannot be used: which, where, and what is wrong."""


def read_examples(path: str | Path, limit_per_language: int | None = None) -> list[Example]:
    """Examples of a .jsonl, .jsonl.gz, .tsv or .tsv.gz file, the first ones of each language where limited.

    Columns: text and lang are needed; id (else the line number), text_pair and label are not; others are passed over.
    An id may stand once in a language: texts of one id in several languages are translations, one source.
    """
    path = Path(path)
    kinds = [suffix for suffix in path.suffixes if suffix != ".gz"][-1:]
    if kinds not in ([".jsonl"], [".tsv"]):
        raise DataError(f"{path}: the name of a data file ends in .jsonl or .tsv (or either with .gz)")
    rows = _json_lines if kinds == [".jsonl"] else _tab_separated
    examples: list[Example] = []
    seen: Counter[str] = Counter()
    ids: dict[tuple[str, str], int] = {}
    with _opened(path) as file:
        for line, row in rows(path, file):
            example = _example(row, f"{path}, line {line}", line)
            if (first := ids.setdefault((example.lang, example.id), line)) != line:
                raise DataError(f"{path}, line {line}: the {example.lang} id {example.id!r} is that of line {first}")
            seen[example.lang] += 1
            if limit_per_language is None or seen[example.lang] <= limit_per_language:
                examples.append(example)
    if not examples:
        raise DataError(f"{path}: there are no examples in it")
    return examples


def check(examples: Iterable[Example], labels: tuple[str, ...]) -> None:
    """DataError where an id repeats in its language or a gold label is none of the model's."""
    ids: set[tuple[str, str]] = set()
    for example in examples:
        if (example.lang, example.id) in ids:
            raise DataError(f"two {example.lang} examples have the id {example.id!r}; an id stands once in a language")
        ids.add((example.lang, example.id))
        if example.label is not None and example.label not in labels:
            raise DataError(f"example {example.id!r}: {unknown('label of the model', example.label, labels)}")


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
    rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    header = next(rows, [])
    for number, cells in enumerate(rows, 2):
        if len(cells) > len(header):
            raise DataError(f"{path}, line {number}: {len(cells)} cells, but the header names {len(header)} columns")
        if any(cells):
            yield number, {name: cell for name, cell in zip(header, cells, strict=False) if cell}


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
    return Example(str(row.get("id") or line), item, lang, _text(row, "label", where))


def _text(row: Mapping[str, Any], name: str, where: str) -> str | None:
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise DataError(f"{where}: {name} must be a text, not {value!r}")
    if value is not None and any("\ud800" <= char <= "\udfff" for char in value):
        raise DataError(f"{where}: {name} holds half a character (a lone surrogate)")
    return value
