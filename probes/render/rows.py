"""Rows of equal keys as a Markdown table, and text that Markdown takes as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

_ESCAPES = str.maketrans({"<": "&lt;", "&": "&amp;", **{mark: f"\\{mark}" for mark in "\\`*_|~$#"}})
# Brackets alone, as of intervals, are text.
_LINK = re.compile(r"\](?=[(\[:])")


def plain(text: object) -> str:
    """Text that Markdown takes as text: one line, no tags, links, emphasis, formulas or cells."""
    return _LINK.sub(r"\\]", " ".join(str(text).split()).translate(_ESCAPES))


def line(cells: Iterable[object]) -> str:
    """A line of a table."""
    return f"| {' | '.join(map(plain, cells))} |"


def markdown_table(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """The lines of the table; none without rows. What Markdown would take for markup stands as it is."""
    if not rows:
        return []
    return [line(rows[0]), line(["---"] * len(rows[0])), *(line(row.values()) for row in rows)]
