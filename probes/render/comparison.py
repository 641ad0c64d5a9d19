"""A comparison of two reports as a person reads it: rows of a table, Markdown."""

from __future__ import annotations

from probes.render.grid import gap, language_name, percent
from probes.render.rows import markdown_table
from probes.statistics.comparison import ALL, CLEAN, Comparison, Contrast

LEGEND = (
    "first, second: share of the n texts whose prediction held (with a gold label: right before and after). "
    "difference: second - first in points, 95 % interval of a bootstrap that draws texts in pairs. lost / gained: "
    "texts that pass less, more, in the second. p: McNemar's exact one, by Holm over all rows. change: whether more "
    "than the margin was lost, by Tango's test and Holm; undecided where neither is shown."
)


def summary(found: Comparison) -> str:
    """One line: how many rows, what changed, and what could not be compared."""
    line = f"{len(found.rows)} rows, margin {100 * found.margin:g} points: {len(found.worse)} worse"
    for name, cells in (("first", found.only_first), ("second", found.only_second)):
        if cells:
            line += f"; {len(cells)} cells are settled in the {name} alone ({' '.join(cells[0])}, ...)"
    return line


def rows(found: Comparison, *, every: bool = True) -> list[dict[str, str]]:
    """A row for each language and step; every False: all steps, clean texts, and the cells that changed."""
    return [
        {
            "language": f"{row.lang} {language_name(row.lang)}",
            "step": row.step,
            "n": str(row.texts),
            "first": percent(row.first),
            "second": percent(row.second),
            "difference": gap(row.difference),
            "lost / gained": f"{row.lost} / {row.gained}",
            "p (Holm)": f"{row.adjusted:.2g}",
            "change": row.change,
        }
        for row in found.rows
        if every or row.step in (CLEAN, ALL) or _told(found, row)
    ]


def markdown(found: Comparison) -> str:
    """The table with what it says."""
    lines = ["# Comparison", "", f"{summary(found)}.", "", LEGEND, "", *markdown_table(rows(found)), ""]
    return "\n".join(lines)


def _told(found: Comparison, row: Contrast) -> bool:
    return row.change == "worse" or row.adjusted <= 1 - found.confidence
