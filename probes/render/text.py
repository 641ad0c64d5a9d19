"""A report as Markdown: one table of languages by steps, and the flips of the worst languages."""

from __future__ import annotations

from probes.render.findings import flip
from probes.render.grid import LEGEND, accuracy, cell, gap, grid, language_name, reach, summary
from probes.render.letters import visible
from probes.report import Report, Row

FLIPS = 3

_ESCAPES = str.maketrans({"<": "&lt;", "&": "&amp;", **{mark: f"\\{mark}" for mark in "\\`*_|"}})


def markdown(report: Report) -> str:
    """The whole report as Markdown."""
    shown = grid(report)
    head = ["language", *(["clean accuracy", "robust accuracy"] if shown.labelled else []), "all flips"]
    head += [f"points against {shown.reference}", *shown.steps]
    lines = ["# Robustness report", "", _plain(f"{summary(report)}."), "", LEGEND, ""]
    lines += [_line(head), _line(["---"] * len(head))]
    for lang in shown.languages:
        total = shown.totals[lang]
        cells = [f"{lang} {language_name(lang)}"]
        cells += [accuracy(total.clean), accuracy(total.robust)] if shown.labelled else []
        cells += [_cell(total), gap(shown.gaps.get(lang))]
        lines.append(_line(cells + [_cell(shown.cells.get((lang, step))) for step in shown.steps]))
    return visible("\n".join([*lines, "", *_flips(report, shown.languages)]) + "\n")


def _cell(row: Row | None) -> str:
    return ", ".join(filter(None, (cell(row), reach(row))))


def _flips(report: Report, langs: tuple[str, ...]) -> list[str]:
    lines = ["## Flips", "", "Changed letters stand as [old→new]; what cannot be seen is spelled as its code point."]
    for lang in langs:
        fooled = [o for o in report.outcomes if o.lang == lang and o.status == "fooled"]
        if fooled:
            lines += ["", f"### {lang} {language_name(lang)}: {len(fooled)} flips", ""]
            lines += [f"- {_plain(flip(outcome))}" for outcome in fooled[:FLIPS]]
            lines += [f"- … and {len(fooled) - FLIPS} more"] if len(fooled) > FLIPS else []
    return lines if len(lines) > 3 else ["No prediction flipped."]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(_plain(cell) for cell in cells)} |"


def _plain(text: str) -> str:
    """Text that Markdown takes as text: one line, no tags, no emphasis, no cells."""
    return " ".join(text.split()).translate(_ESCAPES)
