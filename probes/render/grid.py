"""Languages by steps, worst languages first: the grid that every rendering shows."""

from __future__ import annotations

from dataclasses import dataclass

from probes import languages
from probes.report import UNTARGETED, Report, Row
from probes.statistics.intervals import Difference, Share

NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of a report arranged: per language and step, per language, and the languages and steps in order."""

    languages: tuple[str, ...]
    steps: tuple[str, ...]
    cells: dict[tuple[str, str], Row]
    totals: dict[str, Row]
    gaps: dict[str, Difference]
    reference: str

    @property
    def labelled(self) -> bool:
        """Whether any example has a gold label, so that there are accuracies to show."""
        return any(row.clean for row in self.totals.values())


def grid(report: Report, reference: str = "en") -> Grid:
    """The grid of a report; languages by falling flip rate, those not measured last."""
    totals = {str(row.lang): row for row in report.rows(by=("lang",))}
    order = sorted(totals, key=lambda lang: (not totals[lang].measured, -(totals[lang].rate or 0), lang))
    return Grid(
        languages=tuple(order),
        steps=tuple(step.name for step in report.battery.steps),
        cells={(str(row.lang), str(row.step)): row for row in report.rows()},
        totals=totals,
        gaps=report.gaps(reference),
        reference=reference,
    )


def percent(value: float | None) -> str:
    """A share as a whole percentage; one decimal below 10 %."""
    if value is None:
        return "–"
    return f"{100 * value:.1f}".removesuffix(".0") + " %" if value < 0.0995 else f"{100 * value:.0f} %"


def cell(row: Row | None) -> str:
    """Flip rate with its interval and n, or that it was not measured."""
    if row is None or row.rate is None or row.low is None or row.high is None:
        return NOT_MEASURED
    return _with_interval(row.rate, row.low, row.high, row.n)


def reach(row: Row | None) -> str:
    """What stands beside a figure: the dose that was given and the share of tries the probe could touch."""
    if row is None or row.coverage is None:
        return ""
    dose = "" if row.dose is None else f"dose {100 * row.dose:.1f} %, "
    return f"{dose}cov {percent(row.coverage)}"


def accuracy(found: Share | None) -> str:
    """An accuracy with its interval and n."""
    return (
        "–" if found is None else f"{percent(found.value)} [{100 * found.low:.0f}–{100 * found.high:.0f}] n={found.n}"
    )


def _with_interval(value: float, low: float, high: float, n: int) -> str:
    return f"{percent(value)} [{100 * low:.0f}–{100 * high:.0f}] n={n}"


def why(row: Row | None) -> str:
    """Why there is no rate."""
    if row is None:
        return "this step leaves the language out"
    if row.total == 0:
        return "the time ran out before it was reached"
    if row.covered == 0:
        return "no edit of this step applies to these texts"
    if row.sparse:
        return f"an edit of this step applies to {percent(row.coverage)} of these texts, less than the battery asks for"
    if row.n == 0 and row.out_of_budget == 0:
        return "every clean prediction was already wrong"
    return "the time ran out" if row.n == 0 else ""


def gap(found: Difference | None) -> str:
    """A difference in percentage points with its interval."""
    if found is None:
        return "–"
    return f"{100 * found.value:+.0f} [{100 * found.low:+.0f}, {100 * found.high:+.0f}]"


def language_name(code: str) -> str:
    """English name of a language, or its code where nothing is known of it."""
    return languages.get(code).name


def summary(report: Report) -> str:
    """One line: which battery, how many examples, and whose labels."""
    said = report.provenance
    labels = said["label_source"]
    source = (
        "gold labels"
        if not labels["model"]
        else "the model's own clean predictions as labels"
        if not labels["gold"]
        else f"gold labels for {labels['gold']}, the model's own clean predictions for {labels['model']}"
    )
    counts, battery = said["counts"], said["battery"]
    line = (
        f"Battery {battery['name']} (version {battery['version']}, seed {battery['seed']}), "
        f"{counts['examples']} examples in {len(said['dataset']['languages'])} languages, "
        f"{counts['queries']} model queries, {source}"
    )
    for step in report.battery.steps:
        if step.goal != UNTARGETED:
            line += f"; {step.name} flips where it reaches {step.goal}"
    if repeated := said["dataset"].get("repeated"):
        line += f"; {repeated} texts repeat others of their language, so that the intervals are too narrow"
    if said.get("stopping"):
        line += "; cells ended when they were decided, so that only the intervals of their verdicts hold"
    return f"{line}; cut short by the deadline" if report.truncated else line


LEGEND = (
    "Each cell: share of predictions that flipped, [95 % interval], n = tries on examples the model had right. "
    "dose = graphemes changed, on average; cov = share of tries the probe could touch. Worst languages first."
)
