"""Files of rows: JSONL, CSV, TSV and Parquet, the first three also packed with gzip or xz."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from probes.types import Example
from training.data.rows import Part, Rows, examples, expect_columns
from training.data.source import DataError, Source

_UNPACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.decompress, ".xz": lzma.decompress}
ENDINGS = (*(kind + packed for kind in (".jsonl", ".csv", ".tsv") for packed in ("", *_UNPACK)), ".parquet")


def read(source: Source, root: Path, name: str) -> Part:
    """The rows of the file, or of the set in the folder, `name` in the data folder `root`."""
    made: list[Example] = []
    hashes: dict[str, str] = {}
    left_out = 0
    for path, lang in _paths(source, root / name):
        if "sealed" in path.resolve().parts:
            raise DataError(f"{source.source}: {path} leads to sealed data, which are never loaded here.")
        content = path.read_bytes()
        shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
        hashes[shown] = hashlib.sha256(content).hexdigest()
        found, without = _examples(source, path, content, lang)
        made += found
        left_out += without
    return Part(tuple(made), hashes, f"{', '.join(hashes)} in {root.absolute()}", left_out)


def _paths(source: Source, path: Path) -> list[tuple[Path, str]]:
    """The files, each with the language of rows that name none."""
    if source.kind == "file":
        if not path.is_file():
            raise DataError(f"{source.source}: there is no file {path.absolute()}.")
        if not _ending(path):
            raise DataError(f"{source.source}: the ending must be one of {', '.join(ENDINGS)}.")
        return [(path, source.language)]
    found: dict[str, Path] = {}
    for file in sorted(path.iterdir()):
        stem = file.name.removesuffix(_ending(file))
        lang = stem.removeprefix(source.split).removeprefix(".")
        if stem == file.name or stem not in (source.split, f"{source.split}.{lang}"):
            continue
        if lang and source.languages and lang not in source.languages:
            continue
        if lang in found:
            raise DataError(f"{source.source}: both {found[lang].name} and {file.name} are there; keep one.")
        found[lang] = file
    if not found:
        there = ", ".join(sorted(file.name for file in path.iterdir())[:30])
        raise DataError(
            f"{source.source}: looked in {path.absolute()} for {source.split}, or {source.split}.LANG, with one of the "
            f"endings {', '.join(ENDINGS)}; it holds {there or 'nothing'}."
        )
    if "" in found:  # the whole split: files of single languages beside it would repeat its rows
        return [(found[""], source.language)]
    return [(file, lang) for lang, file in found.items()]


def _ending(path: Path) -> str:
    return next((ending for ending in ENDINGS if path.name.endswith(ending)), "")


def _examples(source: Source, path: Path, content: bytes, lang: str) -> tuple[list[Example], int]:
    if path.suffix == ".parquet":
        rows, classes = _parquet(source, path, content)
        return examples(source, rows, f"{path}, row", lang=lang, classes=classes)
    text = _text(path, content)
    kind = _ending(path).split(".")[1]
    return examples(source, _jsonl(path, text) if kind == "jsonl" else _cells(path, text, kind),
                    f"{path}, line", lang=lang)  # fmt: skip


def _text(path: Path, content: bytes) -> str:
    try:
        # spreadsheet programs put a byte order mark before the first column's name
        return _UNPACK.get(path.suffix, bytes)(content).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text ({error}); save it as UTF-8.") from error
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise DataError(f"{path} is cut short or not a {path.suffix} file: {error}") from error


def _jsonl(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise DataError(f"{path}, line {number}: {error}") from error
            if not isinstance(row, dict):
                raise DataError(f"{path}, line {number}: an object was expected.")
            yield number, row


def _cells(path: Path, text: str, kind: str) -> Iterator[tuple[int, dict[str, str | None]]]:
    """Rows under a header; an empty cell is None. Quotes have a meaning in CSV alone: no TSV cell holds a tab."""
    dialect: dict[str, Any] = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if kind == "tsv" else {"strict": True}
    reader = csv.reader(io.StringIO(text, newline=""), **dialect)
    try:
        header = next(reader, [])
        if len(set(header)) < len(header):
            raise DataError(f"{path}: two columns have one name: {', '.join(header)}.")
        for cells in filter(None, reader):
            if len(cells) != len(header):
                raise DataError(f"{path}, line {reader.line_num}: {len(cells)} cells under {len(header)} columns.")
            yield reader.line_num, {name: cell or None for name, cell in zip(header, cells, strict=True)}
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}.") from error


def _parquet(source: Source, path: Path, content: bytes) -> tuple[Rows, list[str]]:
    """Rows, and the class names that the datasets library leaves in the file."""
    import pyarrow.parquet  # type: ignore[import-untyped]  # only who has such files waits for it

    try:
        file = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(content))
        there = file.schema_arrow.names
        expect_columns(source, there)
        wanted = [column for column in dict.fromkeys((source.text, source.pair, source.label, source.lang, source.id))
                  if column in there]  # fmt: skip
        table = file.read(columns=wanted)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path} is cut short or not a Parquet file: {error}") from error
    said = json.loads((table.schema.metadata or {}).get(b"huggingface", b"{}"))
    feature = said.get("info", {}).get("features", {}).get(source.label, {})
    return enumerate(table.to_pylist(), 1), feature.get("names", [])
