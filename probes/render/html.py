"""A report as one HTML file that needs nothing else: the heat map, and behind each cell the flips letter by letter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from probes.render import grid as shown
from probes.render.findings import worst_flips
from probes.render.grid import Grid, grid
from probes.render.letters import Segment, segments, spell, visible
from probes.report import Outcome, Report, Row
from probes.statistics.verdicts import verdicts

# Flips on the page, and in one of its cells: what a browser searches at once; the JSON has them all.
FLIPS = 5_000
CELL_FLIPS = 50

# The flip rate at which a cell has its full colour.
FULL = 0.5


@dataclass(frozen=True, slots=True)
class Cell:
    """One square of the heat map; heat is 0..100."""

    row: Row | None
    target: str
    heat: int
    title: str


@dataclass(frozen=True, slots=True)
class Flip:
    """One example that flipped; parts holds each edited side, cut at its edits."""

    outcome: Outcome
    parts: tuple[tuple[Segment, ...], ...]


def html(report: Report) -> str:
    """The whole report as one self-contained page."""
    table = grid(report)
    langs = table.languages
    limit = max(1, min(CELL_FLIPS, FLIPS // max(1, len(table.cells))))
    page = _template().render(
        grid=table,
        shown=shown,
        summary=shown.summary(report),
        truncated=report.truncated,
        steps={step.name: step for step in report.battery.steps},
        cells={(lang, step): _cell(table, lang, step) for lang in langs for step in table.steps},
        totals={lang: _square(table.totals[lang], f"lang-{_slug(lang)}", f"{lang}, all steps") for lang in langs},
        flips={cell: [_flip(one) for one in found] for cell, found in worst_flips(report, limit).items()},
        verdicts={(one.lang, one.step): one for one in verdicts(report)},
        full=FULL,
        slug=_slug,
        spell=spell,
        provenance=report.provenance,
    )
    return visible(page)


@lru_cache(maxsize=1)
def _template() -> Template:
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("report.html")


def _cell(table: Grid, lang: str, step: str) -> Cell:
    return _square(table.cells.get((lang, step)), f"cell-{_slug(lang)}-{_slug(step)}", f"{lang}, {step}")


def _square(row: Row | None, target: str, name: str) -> Cell:
    if row is None or not row.measured:
        return Cell(row, target, 0, f"{name}: {shown.NOT_MEASURED}, {shown.why(row)}")
    title = (
        f"{name}: {row.flips} of {row.n} predictions flipped, {shown.percent(row.rate)}, "
        f"95 % interval {shown.percent(row.low)} to {shown.percent(row.high)}; "
        f"touched {row.covered} of {row.total} tries, {shown.reach(row)}"
    )
    return Cell(row, target, round(100 * min(1.0, (row.rate or 0) / FULL)), title)


def _flip(outcome: Outcome) -> Flip:
    sides = ((outcome.before, outcome.edits), (outcome.pair_before or "", outcome.pair_edits))
    return Flip(outcome, tuple(tuple(segments(before, edits)) for before, edits in sides if edits))


def _slug(name: str) -> str:
    """A name as part of an anchor: letters and digits stay, the rest becomes its code."""
    return "".join(char if char.isascii() and char.isalnum() else f"_{ord(char):x}_" for char in name)
