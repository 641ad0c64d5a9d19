"""A report on disk: one file per rendering, each there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

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
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for suffix, render in FORMATS.items():
        paths.append(folder / f"report.{suffix}")
        write_whole(paths[-1], render(report))
    return paths


def write_whole(path: Path, text: str) -> None:
    """Write a file so that no reader ever sees half of it."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
