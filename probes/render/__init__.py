"""A report as people and build servers read it: terminal table, Markdown, CSV, HTML, JUnit, SARIF, annotations."""

from __future__ import annotations

from probes.render.files import FORMS, USUAL, write, write_form
from probes.render.github import github
from probes.render.html import html
from probes.render.junit import junit
from probes.render.letters import Segment, segments, spell, visible
from probes.render.parquet import parquet
from probes.render.sarif import sarif
from probes.render.sheet import csv
from probes.render.terminal import terminal
from probes.render.text import markdown

__all__ = [
    "FORMS",
    "USUAL",
    "Segment",
    "csv",
    "github",
    "html",
    "junit",
    "markdown",
    "parquet",
    "sarif",
    "segments",
    "spell",
    "terminal",
    "visible",
    "write",
    "write_form",
]
