"""A report as a rich table: languages down, steps across, worst languages first."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from probes.render.grid import LEGEND, accuracy, cell, grid, language_name, percent, summary
from probes.report import Report, Row


def terminal(report: Report) -> Table:
    """The table, ready to be printed by a rich console."""
    shown = grid(report)
    table = Table(title=summary(report), caption=LEGEND, title_justify="left", caption_justify="left")
    table.add_column("language", no_wrap=True)
    for name in ("all flips", *shown.steps, *(("clean accuracy", "robust accuracy") if shown.labelled else ())):
        table.add_column(name, justify="right")
    for lang in shown.languages:
        total = shown.totals[lang]
        cells = [_cell(total), *(_cell(shown.cells.get((lang, step))) for step in shown.steps)]
        accuracies = [_stacked(accuracy(total.clean)), _stacked(accuracy(total.robust))] if shown.labelled else []
        table.add_row(f"{lang}\n[dim]{language_name(lang)}[/]", *cells, *accuracies)
    return table


def _cell(row: Row | None) -> Text:
    if row is None or row.rate is None:
        return Text(_stacked(cell(row)), style="dim")
    text = Text(_stacked(cell(row)), style="bold red" if row.rate >= 0.25 else "yellow" if row.rate >= 0.1 else "")
    return text.append(f"\ncov {percent(row.coverage)}", style="dim") if row.coverage != 1 else text


def _stacked(said: str) -> str:
    """The rate above its interval, so that a dozen steps fit across a terminal."""
    return said.replace(" [", "\n[").replace("t m", "t\nm")
