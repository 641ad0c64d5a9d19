"""Running a suite on a classifier: asks everything once, judges every answer, changes nothing."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from probes import battery
from probes.data import check
from probes.oracle import Oracle
from probes.report import Outcome
from probes.steps import Battery
from probes.types import Classifier, Example, Item, Probabilities
from training.evaluation import radius, rows
from training.evaluation.outcomes import Evaluation, EvaluationError, Judged, Radius
from training.evaluation.suite import Attacked, Noisy, Rows, Suite

BATCH = 512
"""Items the model is given at once; it packs them by length."""
Progress = Callable[[str, int, int], None]
"""Called with the part, and how much of it is done and wanted."""


def evaluate(
    model: Classifier, suite: Suite, root: Path, *, seed: int = 0, name: str = "", progress: Progress | None = None
) -> Evaluation:
    """Everything the suite asks, of the data under `root`; `seed` draws rows and noise, the same for every model.

    A model that also has `noisy` (see radius.Noised) has its robust radius measured. Raises DataError and
    EvaluationError for data that do not fit the model or the suite.
    """
    found = _Run(model, suite, root, seed, progress or (lambda *_: None))
    judged = [*found.clean(), *found.generalized()]
    judged += [one for part in suite.noisy for one in found.noisy(part)]
    judged += [one for part in suite.attacked for one in found.attacked(part)]
    radii = found.radii(model)
    return Evaluation(
        name or type(model).__name__, suite.name, seed, found.provenance(model), tuple(judged), tuple(radii)
    )


class _Run:
    """One pass over a suite; the oracle remembers, so that no text is asked twice."""

    def __init__(self, model: Classifier, suite: Suite, root: Path, seed: int, progress: Progress) -> None:
        self._oracle = Oracle(model, batch_size=BATCH)
        self._suite, self._root, self._seed, self._progress = suite, root, seed, progress
        self._hashes: dict[str, str] = {}
        self._counts: dict[str, Any] = {}
        self._texts = self._load(suite.clean)
        self._twins = {(row.lang, row.id): row for row in self._texts}

    def clean(self) -> list[Judged]:
        """The clean texts."""
        texts = rows.chosen(self._texts, (), self._suite.clean.rows, self._seed)
        answers = self._ask("clean", texts)
        return [self._judge("clean", row, answer, clean=True) for row, answer in zip(texts, answers, strict=True)]

    def generalized(self) -> list[Judged]:
        """Every ordered pair of languages."""
        part = self._suite.generalized
        if part is None:
            return []
        made = rows.pairs(self._load(part), part.rows, self._seed)
        self._counts["generalized"] = {"languages": list(made.languages), "disagreeing": made.dropped}
        answers = self._ask("generalized", made.examples)
        return [self._judge("generalized", row, answer) for row, answer in zip(made.examples, answers, strict=True)]

    def noisy(self, part: Noisy) -> list[Judged]:
        """Texts that came noisy beside their clean twins, or clean texts under a battery's noise."""
        called = f"noisy:{part.name}"
        if part.battery:
            return self._probed(called, part, part.probes(self._seed))
        found = rows.load(part.data, part.languages or "all", self._root)
        self._hashes |= found.hashes
        texts = rows.chosen(found.examples, (), part.rows, self._seed)
        check(texts, self._oracle.labels)
        twins = [self._twins.get((row.lang, row.id)) for row in texts]
        self._ask(called, [twin for twin in twins if twin])
        judged = []
        for row, twin, answer in zip(texts, twins, self._ask(called, texts), strict=True):
            judged.append(self._judge(called, row, answer, status=self._held(twin, answer)))
        return judged

    def attacked(self, part: Attacked) -> list[Judged]:
        """Clean texts under the attacks of a battery."""
        return self._probed(f"attacked:{part.name}", part, part.probes(self._seed))

    def radii(self, model: Classifier) -> list[Radius]:
        """How much noise predictions bear; none where the model cannot be given noise."""
        part = self._suite.radius
        if part is None or not isinstance(model, radius.Noised):
            return []
        texts = rows.chosen(self._texts, part.languages, part.rows, self._seed)
        before = self._ask("radius", texts).argmax(axis=1)
        return radius.measure(model, texts, before, part, self._seed, lambda *n: self._progress("radius", *n))

    def provenance(self, model: Classifier) -> dict[str, Any]:
        """What fixes the outcomes: suite, seed, data, versions, and what is known of the model."""
        digest = getattr(getattr(model, "manifest", None), "sha256", None)
        said = {
            "suite": asdict(self._suite),
            "seed": self._seed,
            "data": dict(sorted(self._hashes.items())),
            "model": {"labels": list(model.labels), "type": type(model).__name__}
            | ({"manifest_sha256": digest} if digest else {})
            | dict(getattr(model, "identity", {})),
            "versions": {name: version(name) for name in ("babelproof", "numpy", "regex")}
            | {"python": ".".join(platform.python_version_tuple()[:2])},
            "queries": self._oracle.queries,
        } | self._counts
        plain: dict[str, Any] = json.loads(json.dumps(said))
        return plain

    def _load(self, part: Rows) -> Sequence[Example]:
        found = rows.load(part.data, part.languages, self._root)
        self._hashes |= found.hashes
        if not found.examples:
            raise EvaluationError(f"{part.data[0].source}: none of its languages is one that probes knows.")
        check(found.examples, self._oracle.labels)
        return found.examples

    def _ask(self, part: str, texts: Sequence[Example]) -> Probabilities:
        for start in range(0, len(texts), BATCH):
            self._oracle([row.item for row in texts[start : start + BATCH]])
            self._progress(part, min(start + BATCH, len(texts)), len(texts))
        return self._oracle([row.item for row in texts])

    def _judge(
        self, part: str, row: Example, answer: Probabilities, *, status: str = "", clean: bool = False
    ) -> Judged:
        labels = self._oracle.labels
        gold, place = labels.index(str(row.label)), int(answer.argmax())
        brier = float((answer**2).sum() - 2 * answer[gold] + 1)
        return Judged(
            part=part,
            lang=row.lang,
            id=row.id,
            right=place == gold,
            label=labels[gold],
            predicted=labels[place],
            confidence=round(float(answer[place]), 4),
            gold=round(float(answer[gold]), 4),
            status=status,
            brier=round(brier, 4) if clean else None,
        )

    def _held(self, twin: Example | None, answer: Probabilities) -> str:
        """What became of a prediction between the clean twin and the noisy text."""
        if twin is None:
            return ""
        before, gold = self._oracle([twin.item])[0].argmax(), self._oracle.labels.index(str(twin.label))
        return "wrong_already" if before != gold else "held" if answer.argmax() == gold else "fooled"

    def _probed(self, part: str, wanted: Noisy | Attacked, probes: Battery) -> list[Judged]:
        texts = rows.chosen(self._texts, wanted.languages, wanted.rows, self._seed)
        self._counts.setdefault("batteries", {})[part] = asdict(probes)
        report = battery.run(probes, self._oracle, texts, progress=lambda *n: self._progress(part, *n))
        examples = {(row.lang, row.id): row for row in texts}
        return [self._outcome(part, examples[one.lang, one.example], one) for one in report.outcomes]

    def _outcome(self, part: str, row: Example, found: Outcome) -> Judged:
        """The last answer an outcome rests on; right where the label was there before and held."""
        last = row.item if found.after is None else Item(found.after, found.pair_after)
        judged = self._judge(part, row, self._oracle([last])[0], status=found.status)
        return replace(judged, right=found.status == "held")
