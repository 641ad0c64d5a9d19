"""What the command says: tables and JSON on standard output, progress and one-line refusals on standard error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from probes import render
from probes.battery import BatteryError
from probes.data import DataError
from probes.files import write_text
from probes.registry import UnknownName
from probes.report import Report, ReportError
from runtime.gate import GateError
from runtime.manifest import ModelFolderError
from runtime.remote import RemoteError
from runtime.targets import TargetError


class Format(StrEnum):
    """How a report is shown."""

    table = "table"
    md = "md"
    csv = "csv"
    html = "html"
    json = "json"


_MISTAKES = (BatteryError, DataError, ReportError, TargetError, RemoteError, ModelFolderError, UnknownName, GateError)


@contextmanager
def refusals(*more: type[Exception]) -> Iterator[None]:
    """Turn what a person can put right into one line and exit status 2."""
    mistakes: tuple[type[Exception], ...] = (*_MISTAKES, *more)
    try:
        yield
    except mistakes as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None


@contextmanager
def progress(name: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error; what it yields takes the outcomes done and wanted."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def show_report(report: Report, form: Format, out: Path | None = None) -> None:
    """Print a report in a form, or write it to a file."""
    if form is Format.table:
        console().print(render.terminal(report))
        return
    text = render.FORMATS[form](report)
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        write_text(out, text)
    except OSError as error:
        raise ReportError(f"the report cannot be written: {error}") from error


def table(title: str, rows: list[dict[str, Any]]) -> Table:
    """Rows of equal keys as a table."""
    found = Table(title=title, title_justify="left")
    for name in rows[0] if rows else ():
        found.add_column(name, overflow="fold")
    for row in rows:
        found.add_row(*(_said(value) for value in row.values()))
    return found


def _said(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(one["name"] if isinstance(one, dict) else str(one) for one in value)
    return "" if value is None else str(value)


def console() -> Console:
    """Standard output; where that is a file or a pipe, wide enough for a table."""
    found = Console()
    return found if found.is_terminal else Console(width=max(found.width, 160))


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
