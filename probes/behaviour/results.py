"""What behavioural tests found: one verdict per case, and the rows that sum them up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from probes.files import json_text
from probes.statistics.intervals import Counts, Share, share

FORMAT = "babelproof-behaviour/1"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One case: what was expected, what was answered, whether it failed.

    The probabilities are those of the label the test expects, or of the first answer where the test expects the same.
    """

    lang: str
    test: str
    kind: str
    template: int
    number: int
    expects: str
    failed: bool
    before: str
    pair_before: str | None
    after: str | None
    pair_after: str | None
    predicted_before: str
    predicted_after: str | None
    probability_before: float | None
    probability_after: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One test in one language: failures / cases with a 95 % interval in which the templates are the clusters.

    broken: at least one case failed, so that all-or-nothing the test has failed.
    """

    lang: str
    test: str
    kind: str
    cases: int
    templates: int
    failures: int
    rate: float
    low: float
    high: float
    broken: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """One language: its cases that failed, and of its tests those with any failing case, each with 95 % interval."""

    lang: str
    cases: Share
    tests: Share


@dataclass(frozen=True, slots=True)
class BehaviourReport:
    """Every verdict of a run and where it came from; equal inputs give byte-equal JSON."""

    verdicts: tuple[Verdict, ...]
    provenance: Mapping[str, Any]

    @property
    def tests(self) -> tuple[str, ...]:
        """Names of the tests that were run, in the suite's order."""
        there = {verdict.test for verdict in self.verdicts}
        return tuple(name for name in self.provenance["tests"] if name in there)

    def rows(self) -> list[Row]:
        """One row per language and test, in the order of the run."""
        groups: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
        for verdict in self.verdicts:
            groups[verdict.lang, verdict.test].append(verdict)
        return [_row(lang, test, found) for (lang, test), found in groups.items()]

    def summaries(self) -> list[Summary]:
        """One summary per language, the worst first."""
        rows: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows():
            rows[row.lang].append(row)
        found = []
        for lang, own in rows.items():
            cases = _share(verdict for verdict in self.verdicts if verdict.lang == lang)
            tests = share([(float(row.broken), 1.0) for row in own])
            if cases and tests:
                found.append(Summary(lang, cases, tests))
        return sorted(found, key=lambda summary: (-summary.cases.value, summary.lang))

    def failures(self, lang: str, test: str, limit: int) -> list[Verdict]:
        """So many failing cases of one cell, of every template in turn."""
        failed = [v for v in self.verdicts if v.failed and (v.lang, v.test) == (lang, test)]
        return sorted(failed, key=lambda v: (v.number, v.template))[:limit]

    def to_json(self) -> str:
        """The report as JSON."""
        whole = {
            "format": FORMAT,
            "provenance": dict(self.provenance),
            "languages": [asdict(summary) for summary in self.summaries()],
            "rows": [asdict(row) for row in self.rows()],
            "cases": [asdict(verdict) for verdict in self.verdicts],
        }
        return json_text(whole, indent=1) + "\n"


def _row(lang: str, test: str, found: Sequence[Verdict]) -> Row:
    rate = _share(found)
    if rate is None:
        raise ValueError(f"{test} in {lang} has no case")
    failures = sum(verdict.failed for verdict in found)
    templates = len({verdict.template for verdict in found})
    return Row(
        lang, test, found[0].kind, len(found), templates, failures, rate.value, rate.low, rate.high, failures > 0
    )


def _share(verdicts: Iterable[Verdict]) -> Share | None:
    """Share of failing cases, the cases of one template being one cluster."""
    clusters: dict[tuple[str, int], Counts] = {}
    for verdict in verdicts:
        hits, n = clusters.get((verdict.test, verdict.template), (0, 0))
        clusters[verdict.test, verdict.template] = (hits + verdict.failed, n + 1)
    return share(list(clusters.values()))
