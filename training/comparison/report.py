"""The report of a comparison: verdicts first, then every number; Markdown, HTML, JSON, CSV and SVG."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from probes.files import write_text
from training.comparison.findings import Finding, Findings
from training.comparison.forest import forest, points
from training.comparison.results import FOREIGN, MARGIN, MEAN, Against, Gap
from training.comparison.sheets import sheets
from training.evaluation.rendering import plain, section, sheet, shown, template
from training.evaluation.summary import Table


@dataclass(frozen=True)
class Report:
    """The findings and all that is said of them."""

    findings: Findings

    @cached_property
    def tables(self) -> list[Table]:
        """Every table."""
        return list(sheets(self.findings))

    @property
    def summary(self) -> str:
        """What was compared."""
        said = self.findings.provenance
        seeds = ", ".join(map(str, said["seeds"]))
        return (
            f"{len(self.findings.arms)} arms, step-matched controls among them, under the seeds {seeds}, evaluated on "
            f"the suite {said['suite']['name']}. Training never stops early, so that the updates are exactly those "
            "stated; the checkpoint taken is the best on the recipe's dev data. Intervals are 95 %"
            + ("; of one seed, they speak of texts alone." if len(said["seeds"]) == 1 else ".")
        )

    @cached_property
    def verdicts(self) -> list[str]:
        """One sentence or two for each arm that has a control, and who wins."""
        said = [_verdict(one, one.against) for one in self.findings.arms if one.against]
        return [*said, _winners(self.findings.compared)] if said else ["No arm and its control are both there yet."]

    @property
    def missing(self) -> str:
        """Cells that are not there."""
        return f"Not there yet: {'; '.join(self.findings.missing)}." if self.findings.missing else ""

    @cached_property
    def plots(self) -> dict[str, str]:
        """SVG by file name: the means of all arms, and the languages of each."""
        compared = self.findings.compared
        overall = [
            (f"{name}: {gap.part} {MEAN if gap.lang == MEAN else 'in the worst language'}", gap.difference)
            for name, one in compared.items()
            for gap in (*filter(None, [one.robust]), *one.means)
            if gap.lang != FOREIGN
        ]
        plots = {"means.svg": forest("Against plain of as many updates, percentage points", overall)} if overall else {}
        for name, one in compared.items():
            rows = [(f"{gap.part} {gap.lang}", gap.difference) for gap in one.languages]
            plots[f"arms/{name}/differences.svg"] = forest(f"{name} against its control, percentage points", rows)
        return plots

    def markdown(self) -> str:
        """The report as Markdown."""
        lines = [f"# Comparison: {plain(self.findings.name)}", "", plain(self.summary), ""]
        lines += [f"- {plain(one)}" for one in (*self.verdicts, *filter(None, [self.missing]))]
        lines += ["", "![Differences](means.svg)"] if "means.svg" in self.plots else []
        for table in self.tables:
            lines += section(table)
        provenance = json.dumps(self.findings.provenance, ensure_ascii=False, indent=1)
        return "\n".join([*lines, "", "## Where this comes from", "", "```json", provenance, "```"]) + "\n"

    def html(self) -> str:
        """The report as one page that needs nothing else."""
        return template(Path(__file__).parent).render(report=self, shown=shown, provenance=self.findings.provenance)

    def to_json(self) -> str:
        """Every number; those under "costs" and in the table "costs" are of the clock and differ from run to run."""
        whole = {
            "format": "babelproof-comparison/1",
            "name": self.findings.name,
            "verdicts": self.verdicts,
            "missing": self.findings.missing,
            "arms": {one.arm.name: _to_json(one) for one in self.findings.arms},
            "costs": {one.arm.name: [asdict(cost) for cost in one.costs] for one in self.findings.arms},
            "tables": {table.name: asdict(table) for table in self.tables},
            "provenance": self.findings.provenance,
        }
        return json.dumps(whole, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False) + "\n"

    def write(self, folder: Path) -> list[Path]:
        """Write report.md, .html and .json, tables/NAME.csv, and the plots."""
        texts = {"report.md": self.markdown(), "report.html": self.html(), "report.json": self.to_json()}
        texts |= {f"tables/{table.name}.csv": sheet(table) for table in self.tables} | self.plots
        for name, text in texts.items():
            write_text(folder / name, text)
        return [folder / name for name in texts]


def _verdict(one: Finding, found: Against) -> str:
    """In plain words: the worst language under noise and attack, and the clean mean."""
    said = f"{one.arm.name} against {one.arm.control} ({len(one.paired)} seed{'s' * (len(one.paired) > 1)}): "
    if found.robust:
        said += f"in the worst language under noise and attack ({found.robust.lang}) {_told(found.robust)}; "
    kept = "is ruled out" if found.clean_kept else "is not ruled out"
    return said + f"on the clean mean {_told(found.clean)}; a loss of more than {100 * MARGIN:g} points there {kept}."


def _told(gap: Gap) -> str:
    return (f"{gap.verdict}, {100 * gap.ours:.1f} against {100 * gap.theirs:.1f} %, {points(gap.difference)} points, "
            f"p = {gap.adjusted:.3g}")  # fmt: skip


def _winners(compared: Mapping[str, Against]) -> str:
    won = [name for name, one in compared.items() if one.wins]
    return (
        f"Better in the worst language under noise and attack, and not worse on the clean mean by more than "
        f"{100 * MARGIN:g} points: {', '.join(won) or 'none'}. The p values are adjusted over the arms (Holm)."
    )


def _to_json(one: Finding) -> dict[str, Any]:
    return {
        "control": one.arm.control,
        "updates": sum(one.arm.updates),
        "seeds": one.seeds,
        "paired seeds": one.paired,
        "candidate": one.arm.number,
        "trials": [asdict(trial) for trial in one.arm.trials],
        "against": asdict(one.against) if one.against else None,
    }
