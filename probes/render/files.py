"""A report on disk: one file per rendering, each there whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from probes.files import write_text
from probes.render.html import html
from probes.render.sheet import csv
from probes.render.text import markdown
from probes.report import Report

FORMATS: Mapping[str, Callable[[Report], str]] = {
    "json": Report.to_json,
    "csv": csv,
    "md": markdown,
    "html": html,
}


def write(report: Report, folder: Path) -> list[Path]:
    """Write report.json, .csv, .md and .html into the folder, which is made if it is not there."""
    paths = []
    for suffix, render in FORMATS.items():
        paths.append(folder / f"report.{suffix}")
        write_text(paths[-1], render(report))
    return paths
