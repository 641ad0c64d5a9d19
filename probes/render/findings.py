"""What a build server is told of a report: the verdict on every cell and its worst flips, one line each."""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass

from probes.render.grid import why
from probes.render.letters import segments, spell, visible
from probes.report import Outcome, Report, Row
from probes.statistics.verdicts import Verdict, verdicts

FLIPS = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One cell: its verdict in a line (with what keeps it from being measured), and a line for each flip shown."""

    verdict: Verdict
    said: str
    flips: tuple[str, ...]


def findings(report: Report, limit: int = FLIPS) -> list[Finding]:
    """A finding for every cell, in the order of the report's rows; flips that cost the label most come first."""
    worst = worst_flips(report, limit)
    rows = {(row.lang, row.step): row for row in report.rows()}
    return [
        Finding(
            one,
            visible(_said(one, rows[one.lang, one.step])),
            tuple(flip(outcome) for outcome in worst.get((one.lang, one.step), ())),
        )
        for one in verdicts(report)
    ]


def worst_flips(report: Report, limit: int) -> dict[tuple[str, str], list[Outcome]]:
    """So many flips per language and step, those that cost the label most first."""
    found: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in report.outcomes:
        if outcome.status == "fooled":
            cell = found[outcome.lang, outcome.step]
            cell.append(outcome)
            if len(cell) >= 2 * limit + 100:
                cell[:] = heapq.nsmallest(limit, cell, key=_cost)
    return {cell: heapq.nsmallest(limit, outcomes, key=_cost) for cell, outcomes in found.items()}


def flip(outcome: Outcome) -> str:
    """A flip in a line: the labels, and the text with its changed letters as [old→new]."""
    sides = ((outcome.before, outcome.edits), (outcome.pair_before or "", outcome.pair_edits))
    marked = " ‖ ".join(
        "".join(f"[{spell(s.old)}→{spell(s.new)}]" if s.edited else s.new for s in segments(before, edits))
        for before, edits in sides
        if edits
    )
    said = f"{outcome.step}: {outcome.label} → {outcome.predicted_after}: {marked}"
    return visible(" ".join(said.split()))


def _said(verdict: Verdict, row: Row) -> str:
    return verdict.said if row.measured else f"{verdict.said}, {why(row)}"


def _cost(outcome: Outcome) -> tuple[float, str, int]:
    return (outcome.probability_after or 0.0, outcome.example, outcome.draw)
