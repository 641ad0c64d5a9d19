"""What a run found: one outcome per example, step and draw, and the rows that sum them up."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import groupby
from statistics import fmean, median
from typing import Any, Literal, get_args

from probes import languages
from probes.files import json_text
from probes.statistics.intervals import Counts, Difference, Share, cluster_bootstrap, share
from probes.steps import COVERAGE, Battery, parse
from probes.types import Edit, Example, Item

FORMAT = "babelproof-report/1"
UNTARGETED = "untargeted"

Status = Literal["held", "fooled", "wrong_already", "not_applicable", "out_of_budget"]
Key = Literal["lang", "step"]


class ReportError(ValueError):
    """A file that is no report of this format."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one step did to one example in one draw; probabilities are those of the label.

    held: the label stayed (for an attack: against every query its budget allowed). fooled: it was lost, or the goal of
    an attack with another goal reached. wrong_already: the clean prediction misses the gold label; noise is tried all
    the same (`probes.statistics.flips`), attacks are not. not_applicable: no edit applies to this text, or the clean
    prediction is the target already. out_of_budget: the run's deadline passed before this was settled. The label is the
    gold label, or, where there is none (gold is False), the model's own prediction on the clean text. goal is what the
    step was after. dose is the share of graphemes that the edits change (`probes.dose`), None where no edited text was
    tried.
    """

    example: str
    lang: str
    step: str
    draw: int
    status: Status
    gold: bool
    label: str | None
    before: str
    pair_before: str | None = None
    after: str | None = None
    pair_after: str | None = None
    edits: tuple[Edit, ...] = ()
    pair_edits: tuple[Edit, ...] = ()
    predicted_before: str | None = None
    predicted_after: str | None = None
    probability_before: float | None = None
    probability_after: float | None = None
    queries: int = 0
    goal: str = UNTARGETED
    dose: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One cell: flips of the n trials that could flip, how much of the cell the probe touched, accuracies.

    rate = flips / n with n = held + fooled. coverage = covered / total, total being every trial reached in time.
    dose = mean share of graphemes changed in the tries of n that changed the text or might have. sparse: the coverage
    is below that of the battery; trials of such a cell (language and step) count nowhere, their n is 0.
    clean = accuracy on the clean texts with gold labels. robust = held / (held + fooled + wrong_already) where there
    are gold labels. measured is False where n is 0: the rate is then None, never zero. queries is their median.
    A flip is a lost label. Attacks with another goal count only in the rows of their own step, where a flip is the goal
    reached, by the texts that were right before and not at the goal; they say nothing of robust accuracy.
    """

    lang: str | None
    step: str | None
    n: int
    flips: int
    rate: float | None
    low: float | None
    high: float | None
    covered: int
    total: int
    coverage: float | None
    sparse: bool
    dose: float | None
    clean: Share | None
    robust: Share | None
    out_of_budget: int
    queries: float | None
    measured: bool


@dataclass(frozen=True, slots=True)
class Report:
    """Every outcome of a run and where it came from; equal inputs give byte-equal JSON."""

    outcomes: Sequence[Outcome]
    provenance: Mapping[str, Any]

    @property
    def truncated(self) -> bool:
        """Whether the deadline cut the run short."""
        return bool(self.provenance["truncated"])

    @property
    def battery(self) -> Battery:
        """The battery that was run, ready to be run again."""
        return parse(self.provenance["battery"], where="the battery of the report")

    def examples(self) -> list[Example]:
        """The examples that were probed, ready to be probed again."""
        found = {
            (o.lang, o.example): Example(o.example, Item(o.before, o.pair_before), o.lang, o.label if o.gold else None)
            for o in self.outcomes
        }
        return list(found.values())

    def rows(self, by: Sequence[Key] = ("lang", "step")) -> list[Row]:
        """One row per group, in the order of languages and of the battery's steps."""
        if not set(by) <= set(get_args(Key)):
            raise ValueError(f"rows are grouped by lang, step or both, not by {', '.join(by)}")
        steps = {step["name"]: i for i, step in enumerate(self.provenance["battery"]["steps"])}
        sparse, rows = self._sparse(), []
        for names, group in groupby(self.ordered(by), key=lambda o: {key: getattr(o, key) for key in by}):
            tally = _Tally()
            for outcome in group:
                tally.add(outcome, (outcome.lang, outcome.step) in sparse, any_goal="step" in by)
            rows.append(tally.row(names.get("lang"), names.get("step")))
        return sorted(rows, key=lambda row: (row.lang or "", steps.get(row.step or "", 0)))

    def ordered(self, by: Sequence[Key]) -> Iterable[Outcome]:
        """Outcomes with those of a group together; those on disk (`probes.running.state.Kept`) come one at a time."""
        on_disk = getattr(self.outcomes, "ordered", None)
        return on_disk(by) if on_disk else sorted(self.outcomes, key=lambda o: [getattr(o, key) for key in by])

    def gaps(self, reference: str = "en", seed: int = 0) -> dict[str, Difference]:
        """Per language the flip rate minus the reference language's, by bootstrap over examples."""
        counts: dict[str, dict[str, Counts]] = defaultdict(dict)
        sparse = self._sparse()
        losing = (o for o in self.outcomes if o.goal == UNTARGETED and (o.lang, o.step) not in sparse)
        for (lang, example), pair in _counts(losing, ("lang", "example"), ("fooled",)).items():
            counts[lang][example] = pair
        named = languages.named(reference, tuple(counts))
        there = counts[named] if named else {}
        return {
            lang: gap
            for lang in sorted(counts)
            if lang != named and (gap := cluster_bootstrap(counts[lang], there, seed=seed))
        }

    def _sparse(self) -> frozenset[tuple[str, str]]:
        """Languages and steps where the step could touch a smaller share of the texts than the battery asks for."""
        reached: Counter[tuple[str, str]] = Counter()
        covered: Counter[tuple[str, str]] = Counter()
        for outcome in self.outcomes:
            # A text that is at the target already is none the probe cannot touch.
            if outcome.status != "out_of_budget" and not outcome.goal.startswith("targeted:"):
                reached[outcome.lang, outcome.step] += 1
                covered[outcome.lang, outcome.step] += outcome.status != "not_applicable"
        least = self.provenance["battery"].get("coverage", COVERAGE)
        return frozenset(cell for cell, total in reached.items() if covered[cell] < least * total)

    def to_json(self) -> str:
        """The report as JSON (schema: report.schema.json); rows are there for readers and are not read back."""
        return "".join(self.json_parts())

    def json_parts(self) -> Iterator[str]:
        """The same JSON in parts, one for each outcome."""
        yield f'{{"format":{json_text(FORMAT)},"outcomes":['
        for place, outcome in enumerate(self.outcomes):
            yield ("," if place else "") + json_text(outcome_to_json(outcome))
        rows = [asdict(row) for row in self.rows()]
        rest = {"provenance": dict(self.provenance), "rows": rows, "truncated": self.truncated}
        yield f"],{json_text(rest)[1:]}\n"

    @classmethod
    def from_json(cls, text: str) -> Report:
        """The report that to_json wrote."""
        try:
            whole = json.loads(text)
            if whole["format"] != FORMAT:
                raise ReportError(f"the report says format {whole['format']!r}; this version reads {FORMAT!r}")
            return cls(tuple(outcome_from_json(outcome) for outcome in whole["outcomes"]), whole["provenance"])
        except ReportError:
            raise
        except (ValueError, KeyError, TypeError) as error:
            raise ReportError(f"this is not a babelproof report: {type(error).__name__}: {error}") from error


def difference(first: Iterable[Outcome], second: Iterable[Outcome], *, seed: int) -> Difference | None:
    """Flip rate of the first outcomes minus that of the second, examples in both being paired."""
    a, b = (_counts(outcomes, ("example",), ("fooled",)) for outcomes in (first, second))
    return cluster_bootstrap({k[0]: v for k, v in a.items()}, {k[0]: v for k, v in b.items()}, seed=seed)


def _counts(
    outcomes: Iterable[Outcome], by: Sequence[str], bad: Sequence[Status], status: Sequence[Status] = ("held", "fooled")
) -> dict[tuple[str, ...], Counts]:
    """Outcomes of a bad status, and of any of the statuses counted, per group."""
    counts: dict[tuple[str, ...], Counts] = {}
    for outcome in outcomes:
        if outcome.status in status:
            key = tuple(getattr(outcome, name) for name in by)
            _count(counts, key, outcome.status in bad)
    return counts


def _count(counts: dict[Any, Counts], key: Any, hit: bool) -> None:
    hits, n = counts.get(key, (0, 0))
    counts[key] = (hits + hit, n + 1)


@dataclass(slots=True)
class _Tally:
    """The sums of a group, outcome by outcome: of a text there remain the counts of its draws."""

    trials: dict[str, Counts] = field(default_factory=dict)
    robust: dict[str, Counts] = field(default_factory=dict)
    right: dict[tuple[str, str], bool] = field(default_factory=dict)
    queries: list[int] = field(default_factory=list)
    doses: list[float] = field(default_factory=list)
    total: int = 0
    covered: int = 0
    out_of_budget: int = 0
    sparse: bool = True

    def add(self, outcome: Outcome, sparse: bool, any_goal: bool) -> None:
        """Take in an outcome; sparse: its cell counts nowhere; any_goal: so does one that was after another goal."""
        status, settled = outcome.status, outcome.status in ("held", "fooled")
        self.out_of_budget += status == "out_of_budget"
        self.total += status != "out_of_budget"
        self.covered += status not in ("out_of_budget", "not_applicable")
        if outcome.gold and outcome.predicted_before is not None:
            self.right[outcome.lang, outcome.example] = outcome.predicted_before == outcome.label
        if sparse:
            return
        self.sparse = False
        losing = outcome.goal == UNTARGETED
        if settled:
            self.queries.append(outcome.queries)
            if outcome.dose is not None:
                self.doses.append(outcome.dose)
            if losing or any_goal:
                _count(self.trials, outcome.example, status == "fooled")
        if outcome.gold and losing and (settled or status == "wrong_already"):
            _count(self.robust, outcome.example, status == "held")

    def row(self, lang: str | None, step: str | None) -> Row:
        """The cell that they make."""
        right: dict[str, Counts] = {}
        for (_, example), good in self.right.items():
            _count(right, example, good)
        flips = share(list(self.trials.values()))
        return Row(
            lang=lang,
            step=step,
            n=flips.n if flips else 0,
            flips=int(sum(hits for hits, _ in self.trials.values())),
            rate=flips.value if flips else None,
            low=flips.low if flips else None,
            high=flips.high if flips else None,
            covered=self.covered,
            total=self.total,
            coverage=self.covered / self.total if self.total else None,
            sparse=self.sparse,
            dose=fmean(self.doses) if self.doses else None,
            clean=share(list(right.values())),
            robust=share(list(self.robust.values())),
            out_of_budget=self.out_of_budget,
            queries=float(median(self.queries)) if self.queries else None,
            measured=flips is not None,
        )


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome as a report has it."""
    return {f.name: getattr(outcome, f.name) for f in fields(outcome)} | {
        name: [[edit.start, edit.end, edit.new] for edit in getattr(outcome, name)] for name in ("edits", "pair_edits")
    }


def outcome_from_json(found: dict[str, Any]) -> Outcome:
    """The outcome that outcome_to_json wrote; ReportError where it is none."""
    edits = {name: tuple(Edit(*edit) for edit in found[name]) for name in ("edits", "pair_edits")}
    outcome = Outcome(**{**found, **edits})
    if outcome.status not in get_args(Status):
        raise ReportError(f"outcome of {outcome.example!r} has the unknown status {outcome.status!r}")
    return outcome
