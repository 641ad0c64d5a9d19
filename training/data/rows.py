"""Rows of any format to examples: the columns that a source names, its label names, and what is wrong with a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from probes.types import Example, Item
from training.data.source import DataError, Source

Rows = Iterable[tuple[int, Mapping[str, Any]]]
"""Cells by column, each row with its number."""


@dataclass(frozen=True)
class Part:
    """What one source came to before anything is checked across rows."""

    examples: tuple[Example, ...]
    hashes: Mapping[str, str]
    """SHA-256 by file, or of the rows of a hub set."""
    origin: str
    left_out: int = 0
    """Rows that lack a text or a label, which the source says to leave out."""


def examples(
    source: Source, rows: Rows, place: str, *, lang: str, classes: Sequence[str] = ()
) -> tuple[list[Example], int]:
    """The examples and how many rows were left out; `place` comes before a row's number, `classes` name numbers."""
    made: list[Example] = []
    seen: dict[str, None] = {}
    left_out = 0
    for number, row in rows:
        seen.update(dict.fromkeys(row))
        try:
            example = _example(source, row, number, lang, classes)
        except ValueError as error:
            raise DataError(f"{place} {number}: {error}") from error
        if example is None:
            left_out += 1
        else:
            made.append(example)
    if seen:
        expect_columns(source, tuple(seen))
    return made, left_out


def expect_columns(source: Source, there: Sequence[str]) -> None:
    """Refuse rows without a column of texts or labels, or without any other that the source names itself."""
    usual = {field.name: field.default for field in fields(Source)}
    for role in ("text", "label", "pair", "lang", "id"):
        column = getattr(source, role)
        needed = role in ("text", "label") or column not in (usual[role], "")
        if needed and column not in there:
            raise DataError(f"{source.source}: there is no column {column!r}; the columns are {', '.join(there)}.")


def _example(source: Source, row: Mapping[str, Any], number: int, lang: str, classes: Sequence[str]) -> Example | None:
    text, pair = row.get(source.text), row.get(source.pair)
    label = _label(source, row.get(source.label), classes)
    cells = [text, label, pair] if source.pair in row else [text, label]
    if any(("" if cell is None else cell) in source.absent for cell in cells):
        return None
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"the column {source.text!r} holds no text; the columns are {', '.join(row)}")
    if pair is not None and not isinstance(pair, str):
        raise ValueError(f"the column {source.pair!r} holds {pair!r} where a text was expected")
    known, spoken = row.get(source.id), row.get(source.lang)
    return Example(
        str(number if known is None else known),
        Item(text, pair or None),
        lang if spoken is None else str(spoken),
        label,
    )


def _label(source: Source, value: Any, classes: Sequence[str]) -> str | None:
    """The name of a label; None where there is none, which datasets write as -1."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # whole numbers of a column with gaps
    if classes and isinstance(value, int):
        value = dict(enumerate(classes)).get(value)
    if value is None or value == "":
        return None
    name = str(value)
    if source.labels and name not in source.absent:
        if name not in source.labels:
            raise ValueError(f"the label {name!r} is none of those that `labels` names: {', '.join(source.labels)}")
        return source.labels[name]
    return name
