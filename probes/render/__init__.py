"""A report as a person reads it: terminal table, Markdown, CSV, one HTML file."""

from __future__ import annotations

from probes.render.files import FORMATS, write
from probes.render.html import html
from probes.render.letters import Segment, segments, spell
from probes.render.sheet import csv
from probes.render.terminal import terminal
from probes.render.text import markdown

__all__ = [
    "FORMATS",
    "Segment",
    "csv",
    "html",
    "markdown",
    "segments",
    "spell",
    "terminal",
    "write",
]
