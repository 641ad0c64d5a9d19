"""A report of one method on disk: Markdown, HTML, JSON, a CSV for every table, and the heat map."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from probes.files import write_text
from training.evaluation.heatmap import heatmap
from training.evaluation.resampling import Estimate
from training.evaluation.runs import Runs
from training.evaluation.summary import Cell, Table, tables

_ESCAPES = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_|<"})


@dataclass(frozen=True, slots=True)
class Report:
    """The runs of one method and the tables they come to."""

    runs: Runs
    tables: tuple[Table, ...]

    @classmethod
    def of(cls, runs: Runs, *, seed: int = 0, draws: int = 1000) -> Report:
        """The report, its bootstrap drawn by `seed`."""
        return cls(runs, tuple(tables(runs, seed=seed, draws=draws)))

    @property
    def summary(self) -> str:
        """One line: suite, models, seeds, judgements."""
        first, models = self.runs.evaluations[0], [one.model for one in self.runs.evaluations]
        judged = sum(len(one.judged) for one in self.runs.evaluations)
        seeds = "one run" if len(models) == 1 else f"{len(models)} runs, resampled as the second level of the bootstrap"
        wanted = first.provenance.get("suite", {}).get("radius") and not self.runs.radii()
        unmeasured = " Robust radius: not measured, for want of a model that can be given noise." if wanted else ""
        return (
            f"Suite {first.suite}, rows and noise drawn by seed {first.seed}; {', '.join(models)} ({seeds}); "
            f"{judged} judgements. Intervals are 95 %; n counts judgements of one run.{unmeasured}"
        )

    @property
    def heatmap(self) -> str | None:
        """The heat map of language pairs, where the suite has them."""
        return next((heatmap(table) for table in self.tables if table.name == "generalized"), None)

    def markdown(self) -> str:
        """The report as Markdown."""
        lines = [f"# Evaluation: {plain(self.runs.evaluations[0].suite)}", "", plain(self.summary)]
        for table in self.tables:
            lines += section(table)
        return "\n".join(lines) + "\n"

    def html(self) -> str:
        """The report as one page that needs nothing else."""
        provenance = [dict(one.provenance) for one in self.runs.evaluations]
        return template(Path(__file__).parent).render(report=self, shown=shown, provenance=provenance)

    def to_json(self) -> str:
        """Every table as numbers, and where they come from."""
        whole = {
            "format": "babelproof-evaluation-report/1",
            "summary": self.summary,
            "models": [one.model for one in self.runs.evaluations],
            "provenance": [dict(one.provenance) for one in self.runs.evaluations],
            "tables": {table.name: _to_json(table) for table in self.tables},
        }
        return json.dumps(whole, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False) + "\n"

    def write(self, folder: Path) -> list[Path]:
        """Write report.md, .html and .json, tables/NAME.csv and, for language pairs, generalized.svg."""
        texts = {"report.md": self.markdown(), "report.html": self.html(), "report.json": self.to_json()}
        texts |= {f"tables/{table.name}.csv": sheet(table) for table in self.tables}
        if self.heatmap:
            texts["generalized.svg"] = self.heatmap
        for name, text in texts.items():
            write_text(folder / name, text)
        return [folder / name for name in texts]


def shown(cell: Cell, percent: bool) -> str:
    """A cell as a person reads it: value, interval and n."""
    if cell is None:
        return "not measured"
    if not isinstance(cell, Estimate):
        return str(cell)
    value, low, high = (f"{100 * x:.1f}" if percent else f"{x:.3g}" for x in (cell.value, cell.low, cell.high))
    return f"{value} [{low}, {high}] n={cell.n}"


def sheet(table: Table) -> str:
    """The table as CSV; an estimate fills four columns (value, low, high, n), empty where it was not measured."""
    wide = [any(isinstance(row[place], Estimate) for row in table.rows) for place in range(len(table.columns))]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    ends = ("", " low", " high", " n")
    writer.writerow([f"{name}{end}" for name, four in zip(table.columns, wide, strict=True)
                     for end in (ends if four else ends[:1])])  # fmt: skip
    for row in table.rows:
        writer.writerow([one for cell, four in zip(row, wide, strict=True) for one in _numbers(cell, four)])
    return out.getvalue()


def _numbers(cell: Cell, four: bool) -> list[str]:
    if isinstance(cell, Estimate):
        return [*(f"{x:.6g}" for x in (cell.value, cell.low, cell.high)), str(cell.n)]
    return ["" if cell is None else str(cell), *([""] * 3 if four else [])]


def _to_json(table: Table) -> dict[str, object]:
    rows = [[asdict(cell) if isinstance(cell, Estimate) else cell for cell in row] for row in table.rows]
    return {"title": table.title, "note": table.note, "columns": table.columns, "rows": rows}


@lru_cache
def template(folder: Path) -> Template:
    """The report.html of a folder, on the page that all reports share."""
    environment = Environment(
        loader=FileSystemLoader([folder, Path(__file__).parent]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")


def section(table: Table) -> list[str]:
    """A table under its title, as lines of Markdown."""
    rows = [table.columns, ["---"] * len(table.columns)]
    rows += [[plain(shown(cell, table.percent)) for cell in row] for row in table.rows]
    note = plain(table.note) + " Shares in per cent." * table.percent
    return ["", f"## {plain(table.title)}", "", note, "", *(f"| {' | '.join(cells)} |" for cells in rows)]


def plain(text: str) -> str:
    """Text that Markdown takes as text."""
    return text.translate(_ESCAPES)
