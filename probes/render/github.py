"""A report as annotations of GitHub Actions: workflow commands, printed by a step of a workflow."""

from __future__ import annotations

from collections.abc import Mapping

from probes.render.findings import Finding, findings
from probes.render.grid import summary
from probes.render.letters import visible
from probes.report import Report

MOST = 10
"""Annotations of one level that GitHub shows for a step; the last says how many more there are."""

LEVELS: Mapping[str, str] = {"fragile": "error", "undecided": "warning", "not measured": "notice"}


def github(report: Report) -> str:
    """Fragile cells as errors, undecided ones as warnings, those not measured as notices; the highest rates first."""
    found = findings(report, limit=1)
    lines = [f"{' '.join(visible(summary(report)).split())}."]
    for ruling, level in LEVELS.items():
        cells = [finding for finding in found if finding.verdict.ruling == ruling]
        cells.sort(key=lambda finding: (-(finding.verdict.rate or 0), finding.verdict.lang))
        shown = cells if len(cells) <= MOST else cells[: MOST - 1]
        lines += [_command(level, _title(finding), "\n".join((finding.said, *finding.flips))) for finding in shown]
        if len(shown) < len(cells):
            lines.append(_command(level, f"babelproof: {ruling}", f"and {len(cells) - len(shown)} more cells"))
    return "\n".join(lines) + "\n"


def _title(finding: Finding) -> str:
    return visible(f"{finding.verdict.lang} {finding.verdict.step}: {finding.verdict.ruling}")


def _command(level: str, title: str, message: str) -> str:
    return f"::{level} title={_escaped(title, ':,')}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    """Text as a workflow command takes it: percent first, then what would end the line or the property."""
    for char in "%\r\n" + more:
        text = text.replace(char, f"%{ord(char):02X}")
    return text
