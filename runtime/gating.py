"""Bars a model must clear: `worst-language:lower-bound>=0.70`, and not being worse than a stored report."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from probes.registry import unknown
from probes.render.grid import language_name
from probes.report import Report
from probes.statistics.comparison import ALL, CLEAN, Comparison, Contrast, compare
from probes.statistics.crosslingual import QUANTITIES, Estimate, across, by_cell, extreme
from probes.statistics.intervals import Share, share
from probes.statistics.sequential import Sequential
from probes.steps import Battery
from runtime.inputs import open_report

SUBJECTS = ("mean", "worst-language", "worst-cell", "spread", "deviation", "transfer-gap")
PARTS = {"estimate": "value", "lower-bound": "low", "upper-bound": "high"}
OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
CONFIDENCE = 0.95
GRAMMAR = (
    "[QUANTITY@]SUBJECT[:estimate|lower-bound|upper-bound] >= NUMBER (or <=, >, <); "
    f"QUANTITY is {', '.join(QUANTITIES)}; SUBJECT is {', '.join(SUBJECTS)}, a language, a step, or LANGUAGE/STEP"
)
_EXPRESSION = re.compile(
    r"\s*(?:([^@:<>=]+?)\s*@\s*)?([^@:<>=]+?)\s*(?::\s*([^@:<>=]*?)\s*)?(<=|>=|<|>)\s*([^@:<>=]*?)\s*"
)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*")


class GateError(ValueError):
    """A bar that says nothing."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One bar. quantity None: robust accuracy where there are gold labels, else the share that held."""

    text: str
    quantity: str | None
    subject: str
    part: str
    holds: Callable[[float, float], bool]
    bound: float

    @classmethod
    def parse(cls, text: str) -> Gate:
        """A gate from an expression, or from "0.8" (held@worst-language>=0.8) or "de=0.8" (held@de>=0.8)."""
        short = re.fullmatch(r"\s*(?:([^@:<>=]+)=)?\s*([0-9.]+)\s*", text)
        written = f"held@{short[1] or 'worst-language'}>={short[2]}" if short else text
        found = _EXPRESSION.fullmatch(written)
        if found is None:
            raise GateError(f"--fail-under {text!r} is no bar; it is written {GRAMMAR}")
        quantity, subject, part, sign, number = found.groups()
        if quantity is None and subject in QUANTITIES:
            quantity, subject = subject, "mean"
        if quantity is not None and quantity not in QUANTITIES:
            raise GateError(f"--fail-under {text!r}: {unknown('quantity', quantity, QUANTITIES)}")
        if part is not None and part not in PARTS:
            raise GateError(f"--fail-under {text!r}: {unknown('part of an estimate', part, PARTS)}")
        return cls(text, quantity, subject, part or "estimate", OPERATORS[sign], _number(text, number))

    def check(self, steps: Collection[str], langs: Collection[str] | None = None) -> None:
        """GateError where the subject is no measure, step or language; before a run its languages are not known."""
        lang, _, step = self.subject.partition("/")
        if self.subject in SUBJECTS or self.subject in steps:
            return
        if step and step not in steps:
            raise GateError(f"--fail-under {self.text!r}: {unknown('step of the battery', step, steps)}")
        if lang not in langs if langs is not None else not _LANGUAGE.fullmatch(lang):
            what = unknown("measure, step or language of the run", lang, {*SUBJECTS, *steps, *(langs or ())})
            raise GateError(f"--fail-under {self.text!r}: {what}")

    def failure(self, report: Report) -> str | None:
        """What is wrong, with the language and the probe to look at; None where the bar is cleared. Checks again."""
        steps = [step["name"] for step in report.provenance["battery"]["steps"]]
        self.check(steps, {outcome.lang for outcome in report.outcomes})
        quantity = self.quantity or ("robust-accuracy" if any(o.gold for o in report.outcomes) else "held")
        where, found, missing = _measured(report, quantity, self.subject)
        if report.truncated:
            return f"{self.text} is not met: the run was cut short by its deadline"
        if missing or found is None:
            return f"{self.text} is not met: {quantity} of {', '.join(missing) or where} was not measured"
        value = float(getattr(found, PARTS[self.part]))
        if self.holds(value, self.bound):
            return None
        said = f"{quantity} of {where} {found.value:.3f} [{found.low:.3f}, {found.high:.3f}] n={found.n}"
        return f"{self.text} is not met: {said}{_weakest(report, quantity, where)}"


@dataclass(frozen=True, slots=True)
class Bars:
    """Everything a run must clear: gates, and, with a baseline, losing no more than the margin against it.

    strict: it must also be shown, language by language, on clean texts and over all steps, that no more was lost.
    """

    gates: tuple[Gate, ...] = ()
    baseline: Report | None = None
    margin: float = 0.0
    strict: bool = False

    @classmethod
    def parse(
        cls, expressions: Iterable[str], baseline: Path | None = None, margin: float = 0.0, strict: bool = False
    ) -> Bars:
        """The bars of a command line."""
        if strict and baseline is None:
            raise GateError("--strict says how to compare with a report; say which with --baseline")
        if not 0 <= margin < 1:
            raise GateError(f"--margin is a share of texts, at least 0 and below 1, not {margin:g}")
        report = None if baseline is None else open_report(baseline)
        return cls(tuple(Gate.parse(text) for text in expressions), report, margin, strict)

    def check(self, steps: Collection[str]) -> None:
        """GateError, before anything is asked, where a gate speaks of what the run does not have."""
        for gate in self.gates:
            gate.check(steps)

    def stopping(self, tolerated: float, battery: Battery, langs: Iterable[str]) -> Sequential:
        """The rule of --stop-when-decided; GateError beside a bar, which needs every text that was not asked."""
        if self.gates or self.baseline:
            raise GateError("--stop-when-decided leaves out the texts that --fail-under and --baseline are about")
        cells = [(lang, step.name) for lang in langs for step in battery.steps if step.covers(lang)]
        try:
            return Sequential(cells, tolerated=tolerated)
        except ValueError as error:
            raise GateError(f"--stop-when-decided: {error}") from error

    def failures(self, report: Report) -> list[str]:
        """One line for each bar that is not cleared."""
        lines = [line for gate in self.gates if (line := gate.failure(report))]
        if self.baseline is not None:
            lines += losses(compare(self.baseline, report, margin=self.margin), strict=self.strict)
        return lines


def losses(comparison: Comparison, *, strict: bool = False) -> list[str]:
    """One line for each row shown to be worse by more than the margin, the largest loss first; see Bars for strict."""
    lines = [f"worse by more than {comparison.margin:g}: {contrast(row)}" for row in comparison.worse]
    if strict:
        open_ = (row for row in comparison.rows if row.step in (CLEAN, ALL) and row.change == "undecided")
        lines += [f"not shown to lose at most {comparison.margin:g}: {contrast(row)}" for row in open_]
    return lines


def contrast(row: Contrast) -> str:
    """What changed, in one line that names the language and the probe."""
    interval = f" [{row.difference.low:+.3f}, {row.difference.high:+.3f}]" if row.difference else ""
    return (
        f"{row.lang} ({language_name(row.lang)}), {row.step}: {row.first:.3f} before, {row.second:.3f} now, "
        f"{row.second - row.first:+.3f}{interval} n={row.texts}"
    )


def _measured(report: Report, quantity: str, subject: str) -> tuple[str, Estimate | Share | None, list[str]]:
    """What a subject is of, its estimate, and the languages or cells that should count in it and were not measured.

    A cell in which a step does not apply to the texts (see Report) counts nowhere.
    """
    langs = {outcome.lang for outcome in report.outcomes}
    lang, _, step = subject.partition("/")
    if subject in langs:
        return subject, across(report, quantity).language(subject), []
    if step or subject == "worst-cell" or subject not in SUBJECTS:
        cells = by_cell(report, quantity, step or subject)
        missing = ["/".join(cell) for cell, counts in cells.items() if not counts]
        if step:
            return subject, share(list(cells.get((lang, step), {}).values())), []
        if subject != "worst-cell":
            own = [name for name in missing if name.endswith(f"/{subject}")]
            return subject, across(report, quantity, step=subject).mean(), own
        worst = extreme(cells, CONFIDENCE, largest=quantity == "flip-rate")
        return ("any cell", None, missing) if worst is None else ("/".join(worst[0]), worst[1], missing)
    found = across(report, quantity)
    missing = [lang for lang, counts in found.counts.items() if not counts]
    if subject == "worst-language":
        worst_language = found.worst()
        return ("any language", None, missing) if worst_language is None else (*worst_language, missing)
    summed = {"spread": found.spread, "deviation": found.deviation, "transfer-gap": found.transfer_gap}
    return subject, summed.get(subject, found.mean)(), missing


def _weakest(report: Report, quantity: str, where: str) -> str:
    """The worst cell of what failed: of the language that is named, or of all."""
    lang, _, step = where.partition("/")
    cells = by_cell(report, "robust-accuracy" if quantity == "clean-accuracy" else quantity, where)
    own = {cell: counts for cell, counts in cells.items() if cell[0] == lang} or {
        cell: counts for cell, counts in cells.items() if cell[1] == where
    }
    worst = extreme(own or cells, CONFIDENCE, largest=quantity == "flip-rate")
    if step or worst is None:
        return ""
    (lang, step), found = worst
    return f"; worst in {lang} ({language_name(lang)}) under {step}: {found.value:.3f} n={found.n}"


def _number(text: str, number: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not -1 <= value <= 1:
        raise GateError(f"--fail-under {text!r}: {number!r} is no share; a number like 0.70 was expected")
    return value
