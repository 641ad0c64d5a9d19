"""What a run found: one outcome per example, step and draw, and the rows that sum them up."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from statistics import median
from typing import Any, Literal, get_args

from probes.stats import Counts, Difference, Share, cluster_bootstrap, share
from probes.steps import Battery, parse
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
    an attack with another goal reached. wrong_already: the clean prediction misses the gold label. not_applicable: no
    edit applies to this text, or the clean prediction is the target already. out_of_budget: the run's deadline passed
    before this was settled. The label is the gold label, or, where there is none (gold is False), the model's own
    prediction on the clean text. goal is what the step was after.
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


@dataclass(frozen=True, slots=True)
class Row:
    """One cell: flips of the n trials that could flip, how much of the cell the probe touched, accuracies.

    rate = flips / n with n = held + fooled. coverage = covered / total, total being every trial reached in time.
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
    clean: Share | None
    robust: Share | None
    out_of_budget: int
    queries: float | None
    measured: bool


@dataclass(frozen=True, slots=True)
class Report:
    """Every outcome of a run and where it came from; equal inputs give byte-equal JSON."""

    outcomes: tuple[Outcome, ...]
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
        groups: dict[tuple[str, ...], list[Outcome]] = defaultdict(list)
        for outcome in self.outcomes:
            groups[tuple(getattr(outcome, key) for key in by)].append(outcome)
        steps = {step["name"]: i for i, step in enumerate(self.provenance["battery"]["steps"])}
        rows = [_row(group, dict(zip(by, names, strict=True))) for names, group in groups.items()]
        return sorted(rows, key=lambda row: (row.lang or "", steps.get(row.step or "", 0)))

    def gaps(self, reference: str = "en", seed: int = 0) -> dict[str, Difference]:
        """Per language the flip rate minus the reference language's, by bootstrap over examples."""
        counts: dict[str, dict[str, Counts]] = defaultdict(dict)
        losing = (o for o in self.outcomes if o.goal == UNTARGETED)
        for (lang, example), pair in _counts(losing, ("lang", "example"), ("fooled",)).items():
            counts[lang][example] = pair
        return {
            lang: gap
            for lang in sorted(counts)
            if lang != reference and (gap := cluster_bootstrap(counts[lang], counts.get(reference, {}), seed=seed))
        }

    def to_json(self) -> str:
        """The report as JSON (schema: report.schema.json); rows are there for readers and are not read back."""
        whole = {
            "format": FORMAT,
            "provenance": dict(self.provenance),
            "truncated": self.truncated,
            "rows": [asdict(row) for row in self.rows()],
            "outcomes": [_outcome_to_json(outcome) for outcome in self.outcomes],
        }
        return json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Report:
        """The report that to_json wrote."""
        try:
            whole = json.loads(text)
            if whole["format"] != FORMAT:
                raise ReportError(f"the report says format {whole['format']!r}; this version reads {FORMAT!r}")
            return cls(tuple(_outcome_from_json(outcome) for outcome in whole["outcomes"]), whole["provenance"])
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
            hits, n = counts.get(key, (0, 0))
            counts[key] = (hits + (outcome.status in bad), n + 1)
    return counts


def _row(group: Sequence[Outcome], names: Mapping[str, str]) -> Row:
    losing = [o for o in group if o.goal == UNTARGETED]
    trials = _counts(group if "step" in names else losing, ("example",), ("fooled",))
    flips = share(list(trials.values()))
    reached = [o for o in group if o.status != "out_of_budget"]
    covered = sum(o.status != "not_applicable" for o in reached)
    queries = [o.queries for o in group if o.status in ("held", "fooled")]
    labelled = [o for o in group if o.gold]
    predicted = {(o.lang, o.example): o for o in labelled if o.predicted_before is not None}.values()
    right: dict[str, Counts] = {}
    for outcome in predicted:
        hits, n = right.get(outcome.example, (0, 0))
        right[outcome.example] = (hits + (outcome.predicted_before == outcome.label), n + 1)
    robust = _counts((o for o in losing if o.gold), ("example",), ("held",), ("held", "fooled", "wrong_already"))
    return Row(
        lang=names.get("lang"),
        step=names.get("step"),
        n=flips.n if flips else 0,
        flips=int(sum(hits for hits, _ in trials.values())),
        rate=flips.value if flips else None,
        low=flips.low if flips else None,
        high=flips.high if flips else None,
        covered=covered,
        total=len(reached),
        coverage=covered / len(reached) if reached else None,
        clean=share(list(right.values())),
        robust=share(list(robust.values())),
        out_of_budget=len(group) - len(reached),
        queries=float(median(queries)) if queries else None,
        measured=flips is not None,
    )


def _outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    return {f.name: getattr(outcome, f.name) for f in fields(outcome)} | {
        name: [[edit.start, edit.end, edit.new] for edit in getattr(outcome, name)] for name in ("edits", "pair_edits")
    }


def _outcome_from_json(found: dict[str, Any]) -> Outcome:
    edits = {name: tuple(Edit(*edit) for edit in found[name]) for name in ("edits", "pair_edits")}
    outcome = Outcome(**{**found, **edits})
    if outcome.status not in get_args(Status):
        raise ReportError(f"outcome of {outcome.example!r} has the unknown status {outcome.status!r}")
    return outcome
