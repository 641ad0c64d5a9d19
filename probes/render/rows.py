"""Rows of equal keys as a Markdown table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

_ESCAPES = str.maketrans({"<": "&lt;", "&": "&amp;", **{mark: f"\\{mark}" for mark in "\\`*_|"}})


def markdown_table(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """The lines of the table; none without rows. What Markdown would take for markup stands as it is."""
    if not rows:
        return []
    lines: list[Iterable[object]] = [rows[0], *(row.values() for row in rows)]
    said = [f"| {' | '.join(' '.join(str(cell).split()).translate(_ESCAPES) for cell in line)} |" for line in lines]
    return [said[0], f"| {' | '.join(['---'] * len(rows[0]))} |", *said[1:]]
