"""A report on disk: one file per rendering, each there whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from probes.files import replacing, write_text
from probes.render.github import github
from probes.render.html import html
from probes.render.junit import junit
from probes.render.parquet import parquet
from probes.render.sarif import sarif
from probes.render.sheet import csv
from probes.render.text import markdown
from probes.report import Report


@dataclass(frozen=True, slots=True)
class Form:
    """A rendering and the name of its file."""

    file: str
    render: Callable[[Report], str | bytes]


FORMS: Mapping[str, Form] = {
    "json": Form("report.json", Report.to_json),
    "csv": Form("report.csv", csv),
    "md": Form("report.md", markdown),
    "html": Form("report.html", html),
    "junit": Form("report.junit.xml", junit),
    "sarif": Form("report.sarif", sarif),
    "github": Form("report.github.txt", github),
    "parquet": Form("report.parquet", parquet),
}

USUAL = ("json", "csv", "md", "html")
"""The forms that are written where none is named."""


def write(report: Report, folder: Path, forms: Sequence[str] = USUAL) -> list[Path]:
    """Write the report in these forms into the folder, which is made if it is not there."""
    paths = []
    for name in forms:
        paths.append(folder / FORMS[name].file)
        write_form(report, name, paths[-1])
    return paths


def write_form(report: Report, form: str, path: Path) -> None:
    """Write one form of the report to this file; JSON part by part, for it may be larger than memory."""
    if form == "json":
        write_text(path, report.json_parts())
        return
    found = FORMS[form].render(report)
    with replacing(path) as temporary:
        temporary.write_bytes(found if isinstance(found, bytes) else found.encode("utf-8"))
