"""Verdicts and the measures across languages as a person reads them: rows of a table, Markdown, JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from probes.files import json_text
from probes.render.grid import language_name, percent
from probes.render.rows import markdown_table
from probes.report import Report
from probes.statistics.crosslingual import Across, Estimate, across
from probes.statistics.intervals import Difference
from probes.statistics.verdicts import Verdict

FORMAT = "babelproof-verdicts/1"

LEGEND = (
    "flipped: share of the n tries that could flip, with an interval; the intervals of all cells hold at once with "
    "95 %. robust, fragile: by Holm's procedure over all cells, the true rate is below, above what is tolerated. "
    "more: texts to add until an undecided cell is decided, with a chance of 80 % if its rate is what it seems. power: "
    "the chance that so many texts find a model robust that flips half as often as is tolerated. lost: points of "
    "accuracy, before minus after. harmful, healing, lateral: right to wrong, wrong to right, wrong to another wrong."
)
ACROSS_LEGEND = (
    "Of the languages' values: their mean, the worst with bounds that hold for all languages at once (mid-p, "
    "Bonferroni), best minus worst, standard deviation, and the reference language minus the mean of the others; other "
    "intervals by bootstrap over texts, translations together."
)


def summary(found: Sequence[Verdict]) -> str:
    """One line: how many cells are what."""
    counts = Counter(one.ruling for one in found)
    said = ", ".join(f"{n} {ruling}" for ruling, n in sorted(counts.items()))
    return f"{len(found)} cells, {100 * found[0].tolerated:g} % tolerated: {said}" if found else "no cells"


def rows(found: Sequence[Verdict]) -> list[dict[str, str]]:
    """A row for each cell, fragile ones first, then undecided ones; within each the highest rate first."""
    order = ("fragile", "undecided", "robust", "not measured")
    ranked = sorted(found, key=lambda one: (order.index(one.ruling), -(one.rate or 0), one.lang))
    return [
        {
            "language": f"{one.lang} {language_name(one.lang)}",
            "step": one.step,
            "verdict": one.ruling,
            "flipped": "–"
            if one.rate is None
            else f"{percent(one.rate)} [{_bound(one.low)}–{_bound(one.high)}] n={one.n}",
            "p (Holm)": "–" if one.adjusted is None else f"{one.adjusted:.2g}",
            "more": "" if one.ruling != "undecided" else f"{one.more or '–'}",
            "power": "–" if one.power is None else f"{one.power:.2f}",
            "lost": "–" if one.lost is None else _points(one.lost),
            "harmful / healing / lateral": _kinds(one),
        }
        for one in ranked
    ]


def across_rows(report: Report, reference: str = "en") -> list[dict[str, str]]:
    """A row for each quantity that the report knows; none where cells ended when they were decided."""
    found = [(name, across(report, name)) for name in _quantities(report)]
    return [
        {
            "of": name,
            "languages": str(sum(bool(counts) for counts in one.counts.values())),
            "mean": _points(mean),
            "worst": _worst(one),
            "best - worst": _points(one.spread()),
            "deviation": _points(one.deviation()),
            f"{reference} - others": _points(one.transfer_gap(reference)),
            "n": str(mean.n),
        }
        for name, one in found
        if (mean := one.mean()) is not None
    ]


def markdown(report: Report, found: Sequence[Verdict], reference: str = "en") -> str:
    """Both tables with what they say."""
    lines = ["# Verdicts", "", f"{summary(found)}.", "", LEGEND, "", *markdown_table(rows(found)), ""]
    return "\n".join(
        [*lines, "## Across languages", "", ACROSS_LEGEND, "", *markdown_table(across_rows(report, reference)), ""]
    )


def to_json(report: Report, found: Sequence[Verdict], reference: str = "en") -> str:
    """Both as JSON; equal reports give equal bytes."""
    whole = {
        "format": FORMAT,
        "verdicts": [asdict(one) for one in found],
        "across": {name: _across(across(report, name), reference) for name in _quantities(report)},
    }
    return json_text(whole, indent=1) + "\n"


def _quantities(report: Report) -> tuple[str, ...]:
    """What is said across languages: nothing of a run that asked some cells fewer texts because of their answers."""
    return () if report.provenance.get("stopping") else ("clean-accuracy", "robust-accuracy", "flip-rate")


def _across(one: Across, reference: str) -> dict[str, object]:
    worst, shares = one.worst(), {lang: one.language(lang) for lang in one.counts}
    estimates = {
        "mean": one.mean(),
        "spread": one.spread(),
        "deviation": one.deviation(),
        "transfer_gap": one.transfer_gap(reference),
        "worst": worst and worst[1],
    }
    return {
        "languages": {lang: share and asdict(share) for lang, share in shares.items()},
        "worst_language": worst and worst[0],
        "reference": reference,
        **{name: found and asdict(found) for name, found in estimates.items()},
    }


def _worst(one: Across) -> str:
    found = one.worst()
    return "–" if found is None else f"{found[0]} {_points(found[1])} n={found[1].n}"


def _kinds(one: Verdict) -> str:
    kinds = one.flips_by_kind
    if not kinds.right and not kinds.wrong:
        return "–"
    asked = f"{kinds.healing} / {kinds.lateral} of {kinds.wrong}" if kinds.wrong else "– / –"
    return f"{kinds.harmful} of {kinds.right} / {asked}"


def _bound(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f}"


def _points(found: Estimate | Difference | None) -> str:
    """A share or a difference of shares in percentage points."""
    return "–" if found is None else f"{100 * found.value:.1f} [{100 * found.low:.1f}, {100 * found.high:.1f}]"
