"""Behavioural results as a person reads them: a rich table, and Markdown."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from probes.behaviour.results import BehaviourReport, Row, Summary, Verdict
from probes.render.grid import language_name, percent
from probes.render.rows import line, plain
from probes.statistics.intervals import Share

LEGEND = (
    "Each cell: share of cases that failed, [95 % interval, templates being clusters], n = cases. "
    "Tests failed: those with any failing case. Worst languages first."
)


def terminal(report: BehaviourReport) -> Table:
    """The table, ready to be printed by a rich console."""
    head, *lines = _grid(report)
    table = Table(title=Text(summary(report)), caption=Text(LEGEND), title_justify="left", caption_justify="left")
    for place, name in enumerate(head):
        table.add_column(Text(name.replace(" ", "\n")), justify="right" if place else "left", no_wrap=place == 0)
    for cells in lines:
        table.add_row(*(Text(cell.replace(" [", "\n[").replace("] ", "]\n")) for cell in cells))
    return table


def markdown(report: BehaviourReport, limit: int = 0) -> str:
    """The table and what each test says, and so many failing cases of each test and language."""
    head, *lines = _grid(report)
    said = ["# Behavioural tests", "", f"{plain(summary(report))}.", "", LEGEND, ""]
    said += map(line, (head, ["---"] * len(head), *lines))
    said += ["", "| test | kind | what it says |", "| --- | --- | --- |"]
    said += [line([name, found["kind"], found["says"]]) for name, found in report.provenance["tests"].items()]
    shown = examples(report, limit)
    return (
        "\n".join([*said, *(["", "## Failing cases", *(f"- {plain(one)}" for one in shown)] if shown else [])]) + "\n"
    )


def examples(report: BehaviourReport, limit: int) -> list[str]:
    """So many failing cases of each test and language, one line each."""
    return [
        f"{row.lang} {row.test}: {_case(verdict)}"
        for row in report.rows()
        for verdict in report.failures(row.lang, row.test, limit)
    ]


def summary(report: BehaviourReport) -> str:
    """One line: the task, how many tests, languages and cases, and what could not be asked."""
    said = report.provenance
    line = (
        f"Task {said['task']}: {len(report.tests)} tests in {len(report.summaries())} languages, "
        f"{len(report.verdicts)} cases, {said['queries']} model queries, seed {said['seed']}"
    )
    without = ", ".join(map(repr, said["without"]))
    return f"{line}; left out, for want of the label in the model: {without}" if without else line


def _grid(report: BehaviourReport) -> list[list[str]]:
    cells = {(row.lang, row.test): row for row in report.rows()}
    head = ["language", "all cases", "tests failed", *report.tests]
    return [head, *(_language(found, [cells.get((found.lang, test)) for test in report.tests])
                    for found in report.summaries())]  # fmt: skip


def _language(found: Summary, rows: list[Row | None]) -> list[str]:
    failed = f"{round(found.tests.value * found.tests.n)} of {found.tests.n}"
    return [f"{found.lang} {language_name(found.lang)}", _share(found.cases), failed, *map(_cell, rows)]


def _cell(row: Row | None) -> str:
    return "–" if row is None else _share(Share(row.rate, row.low, row.high, row.cases))


def _share(found: Share) -> str:
    return f"{percent(found.value)} [{100 * found.low:.0f}–{100 * found.high:.0f}] n={found.n}"


def _case(verdict: Verdict) -> str:
    before = _said(verdict.before, verdict.pair_before, verdict.predicted_before, verdict.probability_before)
    if verdict.after is None or verdict.predicted_after is None:
        return f"{before}, expected {verdict.expects}"
    after = _said(verdict.after, verdict.pair_after, verdict.predicted_after, verdict.probability_after)
    return f"{before} → {after}, expected {verdict.expects}"


def _said(text: str, pair: str | None, predicted: str, probability: float | None) -> str:
    whole = text if pair is None else f"{text} ‖ {pair}"
    return f"“{whole}” {predicted}" + ("" if probability is None else f" (p {probability:.2f})")
