"""A report as a rich table: languages down, steps across, worst languages first."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from probes.render.grid import LEGEND, accuracy, cell, grid, language_name, reach, summary
from probes.report import Report, Row


def terminal(report: Report) -> Table:
    """The table, ready to be printed by a rich console."""
    shown = grid(report)
    table = Table(title=Text(summary(report)), caption=Text(LEGEND), title_justify="left", caption_justify="left")
    table.add_column("language", no_wrap=True)
    for name in ("all flips", *shown.steps, *(("clean accuracy", "robust accuracy") if shown.labelled else ())):
        table.add_column(Text(name), justify="right")
    for lang in shown.languages:
        total = shown.totals[lang]
        cells = [_cell(total), *(_cell(shown.cells.get((lang, step))) for step in shown.steps)]
        accuracies = [Text(_stacked(accuracy(one))) for one in (total.clean, total.robust)] if shown.labelled else []
        table.add_row(Text(f"{lang}\n").append(language_name(lang), style="dim"), *cells, *accuracies)
    return table


def _cell(row: Row | None) -> Text:
    rate = row.rate if row else None
    style = "dim" if rate is None else "bold red" if rate >= 0.25 else "yellow" if rate >= 0.1 else ""
    text = Text(_stacked(cell(row)), style=style)
    return text.append("\n" + reach(row).replace(", ", "\n"), style="dim") if reach(row) else text


def _stacked(said: str) -> str:
    """The rate above its interval, so that a dozen steps fit across a terminal."""
    return said.replace(" [", "\n[").replace("t m", "t\nm")
