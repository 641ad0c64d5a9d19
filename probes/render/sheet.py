"""A report as CSV: one line per language and step, plain numbers."""

from __future__ import annotations

import csv as comma
import io
from dataclasses import fields

from probes.render.letters import visible
from probes.report import Report, Row
from probes.statistics.intervals import Share

_PLAIN = tuple(field.name for field in fields(Row) if field.name not in ("clean", "robust"))
_SHARE = tuple(field.name for field in fields(Share))


def csv(report: Report) -> str:
    """One line per language and step; an empty cell is a value that was not measured."""
    out = io.StringIO()
    writer = comma.writer(out, lineterminator="\n")
    writer.writerow([*_PLAIN, *(f"{kind}_{name}" for kind in ("clean", "robust") for name in _SHARE)])
    for row in report.rows():
        shares = [getattr(found, name, None) for found in (row.clean, row.robust) for name in _SHARE]
        writer.writerow([_text(value) for value in (*(getattr(row, name) for name in _PLAIN), *shares)])
    return out.getvalue()


def _text(value: object) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else visible(str(value))
