"""A report as Markdown: one table of languages by steps, and the flips of the worst languages."""

from __future__ import annotations

from collections import Counter

from probes.render.findings import flip
from probes.render.grid import LEGEND, accuracy, cell, gap, grid, language_name, reach, summary
from probes.render.letters import visible
from probes.render.rows import line, plain
from probes.report import Outcome, Report, Row

FLIPS = 3


def markdown(report: Report) -> str:
    """The whole report as Markdown."""
    shown = grid(report)
    head = ["language", *(["clean accuracy", "robust accuracy"] if shown.labelled else []), "all flips"]
    head += [f"points against {shown.reference}", *shown.steps]
    lines = ["# Robustness report", "", plain(f"{summary(report)}."), "", LEGEND, ""]
    lines += [line(head), line(["---"] * len(head))]
    for lang in shown.languages:
        total = shown.totals[lang]
        cells = [f"{lang} {language_name(lang)}"]
        cells += [accuracy(total.clean), accuracy(total.robust)] if shown.labelled else []
        cells += [_cell(total), gap(shown.gaps.get(lang))]
        lines.append(line(cells + [_cell(shown.cells.get((lang, step))) for step in shown.steps]))
    return visible("\n".join([*lines, "", *_flips(report, shown.languages)]) + "\n")


def _cell(row: Row | None) -> str:
    return ", ".join(filter(None, (cell(row), reach(row))))


def _flips(report: Report, langs: tuple[str, ...]) -> list[str]:
    lines = ["## Flips", "", "Changed letters stand as [old→new]; what cannot be seen is spelled as its code point."]
    counts: Counter[str] = Counter()
    shown: dict[str, list[Outcome]] = {}
    for outcome in report.outcomes:
        if outcome.status == "fooled":
            counts[outcome.lang] += 1
            if counts[outcome.lang] <= FLIPS:
                shown.setdefault(outcome.lang, []).append(outcome)
    for lang in (lang for lang in langs if counts[lang]):
        lines += ["", f"### {plain(f'{lang} {language_name(lang)}')}: {counts[lang]} flips", ""]
        lines += [f"- {plain(flip(outcome))}" for outcome in shown[lang]]
        lines += [f"- … and {counts[lang] - FLIPS} more"] if counts[lang] > FLIPS else []
    return lines if len(lines) > 3 else ["No prediction flipped."]
