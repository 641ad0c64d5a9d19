"""A report as a rich table: languages down, steps across, worst languages first."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from probes.render.grid import LEGEND, NOT_MEASURED, accuracy, cell, grid, language_name, percent, summary
from probes.report import Report, Row


def terminal(report: Report) -> Table:
    """The table, ready to be printed by a rich console."""
    shown = grid(report)
    table = Table(title=summary(report), caption=LEGEND, title_justify="left", caption_justify="left")
    table.add_column("language", no_wrap=True)
    if shown.labelled:
        table.add_column("clean accuracy", justify="right")
        table.add_column("robust accuracy", justify="right")
    table.add_column("all flips", justify="right")
    for step in shown.steps:
        table.add_column(step, justify="right")
    for lang in shown.languages:
        total = shown.totals[lang]
        accuracies = [accuracy(total.clean), accuracy(total.robust)] if shown.labelled else []
        cells = [_cell(total), *(_cell(shown.cells.get((lang, step))) for step in shown.steps)]
        table.add_row(f"{lang} {language_name(lang)}", *accuracies, *cells)
    return table


def _cell(row: Row | None) -> Text:
    if row is None or not row.measured:
        return Text(NOT_MEASURED, style="dim")
    rate = row.rate or 0.0
    text = Text(cell(row), style="bold red" if rate >= 0.25 else "yellow" if rate >= 0.1 else "")
    return text.append(f"\ncov {percent(row.coverage)}", style="dim") if row.coverage != 1 else text
