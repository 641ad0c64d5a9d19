"""What the command says: tables and JSON on standard output, progress and one-line refusals on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from probes import render
from probes.battery import BatteryError
from probes.data import DataError
from probes.files import json_text
from probes.registry import UnknownName
from probes.report import Report, ReportError
from probes.running.database import StoreError
from probes.running.workers import WorkerError
from runtime.gating import GateError
from runtime.manifest import ModelFolderError
from runtime.predictions import PredictionError
from runtime.remote import RemoteError
from runtime.session import BackendError
from runtime.targets import TargetError

_MEMORY = 120.0
"""Seconds of work that the time remaining is judged by: blocks of attacks come in bursts."""


class Format(StrEnum):
    """How a report is shown."""

    table = "table"
    md = "md"
    csv = "csv"
    html = "html"
    json = "json"
    junit = "junit"
    sarif = "sarif"
    github = "github"
    parquet = "parquet"


_MISTAKES = (
    BatteryError,
    DataError,
    ReportError,
    StoreError,
    PredictionError,
    WorkerError,
    TargetError,
    RemoteError,
    ModelFolderError,
    BackendError,
    UnknownName,
    GateError,
)


@contextmanager
def refusals(*more: type[Exception]) -> Iterator[None]:
    """Turn what a person can put right into one line and exit status 2."""
    mistakes: tuple[type[Exception], ...] = (*_MISTAKES, *more)
    try:
        yield
    except mistakes as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None


def fail(lines: Sequence[str]) -> None:
    """Say which bars were not cleared and end with exit status 1; nothing where there are none."""
    for line in lines:
        typer.echo(f"failed: {line}", err=True)
    if lines:
        raise typer.Exit(1)


@contextmanager
def progress(name: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error; what it yields takes the outcomes done and wanted."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    screen = Console(stderr=True)
    shown: dict[str, Any] = {"console": screen, "transient": True, "disable": not screen.is_terminal}
    with Progress(*columns, **shown, speed_estimate_period=_MEMORY) as bar:
        task, begun = bar.add_task(name, total=None), False

        def advance(done: int, total: int) -> None:
            nonlocal begun
            if not begun:  # what an earlier run did says nothing of the speed of this one
                bar.reset(task, completed=done, total=total)
            begun = True
            bar.update(task, completed=done, total=total)

        yield advance


def show_report(report: Report, form: Format, out: Path | None = None) -> None:
    """Print a report in a form, or write it to a file; Parquet, which is no text, goes to a file alone."""
    if form is Format.table:
        console().print(render.terminal(report))
        return
    try:
        if out is not None:
            render.write_form(report, form, out)
            return
    except OSError as error:
        raise ReportError(f"the report cannot be written: {error}") from error
    found = render.FORMS[form].render(report)
    if isinstance(found, bytes):
        raise ReportError(f"{form} is no text to print; say with --out where to write it")
    typer.echo(found, nl=False)


def check_forms(forms: Sequence[Format], out: Path | None) -> list[Format]:
    """What a run will print, known before it begins: the forms; where they go to files, annotations or the table.

    ReportError where Parquet is wanted and has nowhere to go, or pyarrow is missing.
    """
    if Format.parquet in forms and out is None:
        raise ReportError("parquet is no text to print; say with --out where to write it")
    if Format.parquet in forms and find_spec("pyarrow") is None:
        raise ReportError("Parquet needs pyarrow: pip install -c constraints.txt -e '.[parquet]'")
    if out is None and forms:
        return list(forms)
    return [Format.github if Format.github in forms else Format.table]


def write_report(report: Report, forms: Sequence[Format], folder: Path) -> None:
    """Write a report in these forms, or in the usual ones, and say on standard error which files those are."""
    names = [form.value for form in forms if form is not Format.table] or render.USUAL
    try:
        paths = render.write(report, folder, names)
    except OSError as error:
        raise ReportError(f"the report cannot be written: {error}") from error
    typer.echo(f"written: {', '.join(map(str, paths))}", err=True)


def table(title: str, rows: list[dict[str, Any]]) -> Table:
    """Rows of equal keys as a table."""
    found = Table(title=Text(title), title_justify="left")
    for name in rows[0] if rows else ():
        found.add_column(Text(name), overflow="fold")
    for row in rows:
        found.add_row(*(Text(_said(value)) for value in row.values()))
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
    typer.echo(json_text(value, indent=2, sort_keys=False))
