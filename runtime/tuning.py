"""Which graph on which backend: every candidate measured for speed, and for its labels language by language."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from probes.types import Example, Item
from runtime.backends import Backend, BackendError, Choice, Ids, candidates, shipped
from runtime.classifier import OnnxClassifier, padded
from runtime.manifest import Manifest, verify
from runtime.tokenization import Row

T = TypeVar("T")
LEAST = 0.99
"""Share of labels equal to the reference's that a candidate needs in every language."""
MANY = 100
"""Texts of a language from which on the share itself is judged; below, whether its interval reaches LEAST."""
ENOUGH = 300
"""Texts of all languages without which nothing is eligible: as many as show LEAST at 95 % when none differs."""
WORTH = 1.05
"""Times the shipped graph's speed that a change must bring."""
ROUNDS, QUICK_ROUNDS = 5, 3
_TRACE = (1, 1, 1, 4, 8, 16, 32)
"""Rows of the batches that speed is measured on; those of the last are each some texts in one."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """Of n texts, those that got the reference's label."""

    same: int
    n: int

    @property
    def share(self) -> float:
        return self.same / self.n

    @property
    def holds(self) -> bool:
        """Whether the share is LEAST, or with few texts whether that is possible (Clopper and Pearson 1934, 95 %)."""
        if self.n >= MANY:
            return self.share >= LEAST
        return self.same == self.n or float(betaincinv(self.same + 1, self.n - self.same, 0.975)) >= LEAST


@dataclass(frozen=True, slots=True)
class Measured:
    """A candidate: its speed as a ratio to the shipped graph's, its labels beside the reference's, and the verdict."""

    choice: Choice
    speed: float | None
    agreement: Mapping[str, Agreed]
    verdict: str

    @property
    def eligible(self) -> bool:
        return self.verdict == "eligible"

    @property
    def all(self) -> Agreed:
        """All languages together."""
        return Agreed(sum(one.same for one in self.agreement.values()), sum(one.n for one in self.agreement.values()))

    @property
    def worst(self) -> str | None:
        """The language with the smallest share."""
        return min(self.agreement, key=lambda lang: (self.agreement[lang].share, lang), default=None)


@dataclass(frozen=True, slots=True)
class Tuning:
    """Every candidate, the graph whose labels they were held against, and the one to serve."""

    manifest: Manifest
    reference: Choice
    rows: tuple[Measured, ...]

    @property
    def chosen(self) -> Choice:
        """The fastest eligible candidate that is worth a change; else the shipped graph."""
        able = [row for row in self.rows if row.eligible and (row.speed or 0) >= WORTH]
        return max(able, key=lambda row: row.speed or 0).choice if able else shipped(self.manifest)


def tune(
    folder: str | Path,
    examples: Sequence[Example],
    *,
    names: Collection[str] = (),
    threads: int | None = None,
    quick: bool = False,
) -> Tuning:
    """Measure every candidate of a folder, or those of the named backends; labels are compared on the examples.

    If quick, only the labels of those that are worth a change are compared. Raises BackendError, ModelFolderError.
    """
    folder = Path(folder)
    manifest = verify(folder)
    if not examples:
        raise BackendError("there are no texts to compare labels on; name some with --data")
    examples = _paired(examples) if manifest.pairs else examples
    first = shipped(manifest)
    exact = [graph for graph in (manifest.onnx, *manifest.variants) if graph.precision == "fp32"]
    reference = Choice(first.backend, "fp32", exact[0]) if exact else first
    choices = list(dict.fromkeys([first, reference, *candidates(manifest, names)]))
    faults = Faults((first, reference))
    opened = faults.apart(choices, lambda one: OnnxClassifier(folder, threads=threads, choice=one))
    try:
        rows = opened[first].tokenize([example.item for example in examples])
        speeds = _speeds({choice: one.backend for choice, one in opened.items()}, trace(rows, manifest),
                         QUICK_ROUNDS if quick else ROUNDS, faults)  # fmt: skip
        compared = [one for one in speeds if not quick or one == reference or speeds[one] >= WORTH]
        labels = faults.apart(compared, lambda one: _labels(opened[one], examples))
    finally:
        for one in opened.values():
            one.close()
    same = {choice: agreements(examples, labels[reference], found) for choice, found in labels.items()}
    measured = (_measured(one, one == first, speeds.get(one), same.get(one), faults.told.get(one)) for one in choices)
    return Tuning(manifest, reference, tuple(measured))


@dataclass(frozen=True, slots=True)
class Faults:
    """What candidates failed with: the others go on, unless it was one without which there is nothing to compare."""

    needed: Collection[Choice]
    told: dict[Choice, str] = field(default_factory=dict)

    def apart(self, choices: Iterable[Choice], asked: Callable[[Choice], T]) -> dict[Choice, T]:
        """What is asked of each that has not failed; BackendError where one fails that is needed."""
        found = {}
        for choice in choices:
            if choice in self.told:
                continue
            try:
                found[choice] = asked(choice)
            except Exception as error:  # every library has its own
                said = str(error).strip() or repr(error)
                if choice in self.needed:
                    raise BackendError(f"{choice}: {said}") from error
                self.told[choice] = said
        return found


def _measured(
    choice: Choice, own: bool, speed: float | None, agreement: Mapping[str, Agreed] | None, fault: str | None
) -> Measured:
    if fault is not None:
        verdict = f"failed: {fault}"
    elif own:
        verdict = "shipped"
    elif agreement is None:
        verdict = "not worth a change"
    else:
        verdict = judge(agreement) or "eligible"
    return Measured(choice, speed, agreement or {}, verdict)


def agreements(
    examples: Sequence[Example], reference: NDArray[np.int64], labels: NDArray[np.int64]
) -> dict[str, Agreed]:
    """Equal labels by language; a label of -1, which stands for an answer that is no number, equals none."""
    n = Counter(example.lang for example in examples)
    equal = (reference == labels) & (labels >= 0)
    same = Counter(example.lang for example, one in zip(examples, equal, strict=True) if one)
    return {lang: Agreed(same[lang], n[lang]) for lang in sorted(n)}


def judge(agreement: Mapping[str, Agreed]) -> str | None:
    """Why a candidate may not be chosen, or None."""
    same, n = (sum(getattr(one, name) for one in agreement.values()) for name in ("same", "n"))
    failing = {lang: one for lang, one in agreement.items() if not one.holds}
    if failing:
        told = ", ".join(f"{lang} {one.same} of {one.n}" for lang, one in list(failing.items())[:3])
        return f"other labels in {told}" + (f" and {len(failing) - 3} more" if len(failing) > 3 else "")
    if same < LEAST * n:
        return f"other labels in {n - same} of {n} texts"
    if n < ENOUGH:
        return f"too few texts to tell ({n} of {ENOUGH})"
    return None


def trace(rows: Sequence[Row], manifest: Manifest) -> list[tuple[Ids, Ids, Ids]]:
    """Batches of mixed size and length, as a service meets them, out of tokenised texts."""
    order = np.random.default_rng(0).permutation(len(rows))
    texts: Iterator[Row] = (rows[order[place % len(rows)]] for place in range(10**6))
    batches = [sorted((next(texts) for _ in range(count)), key=lambda row: len(row.ids)) for count in _TRACE]
    batches.append([_joined([next(texts) for _ in range(4)], manifest.max_length) for _ in range(4)])
    return [padded(batch, manifest.onnx.pad_id) for batch in batches]


def _joined(rows: Sequence[Row], length: int) -> Row:
    ids = [token for row in rows for token in row.ids][:length]
    return Row(ids, [0] * len(ids), False)


def _paired(examples: Sequence[Example]) -> list[Example]:
    """Each text without a pair beside the next one, for a model that reads two."""
    following = [*examples[1:], *examples[:1]]
    return [
        replace(one, item=Item(one.item.text, other.item.text)) if one.item.pair is None else one
        for one, other in zip(examples, following, strict=True)
    ]


def _speeds(
    backends: Mapping[Choice, Backend], batches: Sequence[tuple[Ids, Ids, Ids]], count: int, faults: Faults
) -> dict[Choice, float]:
    """How many times as fast as the first each backend that ran all is, by its least times in interleaved rounds.

    The least, for whatever else runs on the machine can only add to a time.
    """
    least = {choice: np.full(len(batches), np.inf) for choice in backends}
    for _ in range(count + 1):  # one to warm up
        times = faults.apart(backends, lambda one: [_seconds(backends[one], batch) for batch in batches])
        least = {choice: np.minimum(least[choice], found) for choice, found in times.items()}
    first = least[next(iter(backends))].sum()
    return {choice: float(first / found.sum()) for choice, found in least.items()}


def _seconds(backend: Backend, batch: tuple[Ids, Ids, Ids]) -> float:
    start = time.perf_counter()
    backend.run(*batch)
    return time.perf_counter() - start


def _labels(classifier: OnnxClassifier, examples: Sequence[Example]) -> NDArray[np.int64]:
    logits = classifier.predict([example.item for example in examples]).logits
    labels: NDArray[np.int64] = np.where(np.isfinite(logits).all(axis=1), logits.argmax(axis=1), -1)
    return labels
