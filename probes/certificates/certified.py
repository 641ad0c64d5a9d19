"""Certified accuracy: of the texts of each language, the share that is right and stays so under so many edits."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, zip_longest
from statistics import median
from typing import Any

from probes.certificates.deletion import Deletion, EditCertificate, certify
from probes.data import DataError, checked
from probes.files import json_text
from probes.oracle import DeadlinePassed, Oracle
from probes.running import provenance
from probes.statistics.intervals import Share, share
from probes.types import Classifier, Example, Item

FORMAT = "babelproof-certificates/1"

# Copies in memory at once, and in one batch of the classifier.
COPIES, BATCH = 8192, 256


@dataclass(frozen=True, slots=True)
class Judged:
    """One text: its label (gold, else the plain prediction), what is predicted of it as it is, and its certificate.

    empty: what is predicted of an empty text, which is what enough deletion makes of any.
    """

    example: str
    lang: str
    label: str
    gold: bool
    plain: str
    empty: str
    certificate: EditCertificate

    def holds(self, radius: int) -> bool:
        """Whether the smoothed label is right and certified at this radius; 0: on the text as it is."""
        return self.certificate.label == self.label and self.certificate.radius >= radius


@dataclass(frozen=True, slots=True)
class Curve:
    """One language: shares of its n texts, each with a 95 % Wilson interval.

    plain: the classifier itself is right; abstained: no label; empty: the smoothed label is that of an empty text, so
    that the certificate may say nothing of this one; radii[r]: right and certified at radius r. units: the median
    length. unreached: texts that the deadline left out; they are not in n, and without any other all is None.
    """

    lang: str
    n: int
    plain: Share | None
    abstained: Share | None
    empty: Share | None
    radii: dict[int, Share | None]
    units: float | None
    unreached: int


@dataclass(frozen=True, slots=True)
class Certified:
    """The certificates of texts of several languages, and what they were made with."""

    how: Deletion
    judged: tuple[Judged, ...]
    unreached: tuple[Example, ...]
    provenance: dict[str, Any]

    def curves(self) -> list[Curve]:
        """One for each language, the worst at radius 1 (then 0) first, those without a text last."""
        texts: dict[str, list[Judged]] = defaultdict(list)
        for one in self.judged:
            texts[one.lang].append(one)
        langs = texts.keys() | {example.lang for example in self.unreached}
        return sorted((self._curve(lang, texts[lang]) for lang in langs), key=_order)

    def to_json(self) -> str:
        """Everything (schema: certificates.schema.json); equal inputs give equal bytes."""
        whole = {
            "format": FORMAT,
            "provenance": self.provenance,
            "truncated": bool(self.unreached),
            "curves": [asdict(curve) for curve in self.curves()],
            "texts": [asdict(one) for one in self.judged],
        }
        return json_text(whole, indent=1) + "\n"

    def _curve(self, lang: str, texts: Sequence[Judged]) -> Curve:
        return Curve(
            lang=lang,
            n=len(texts),
            plain=_share(one.plain == one.label for one in texts),
            abstained=_share(one.certificate.label is None for one in texts),
            empty=_share(one.certificate.label == one.empty for one in texts),
            radii={radius: _share(one.holds(radius) for one in texts) for radius in _radii(self.how.ceiling)},
            units=median(one.certificate.units for one in texts) if texts else None,
            unreached=sum(example.lang == lang for example in self.unreached),
        )


def measure(
    classifier: Classifier,
    examples: Sequence[Example],
    how: Deletion,
    *,
    seed: int = 0,
    deadline: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Certified:
    """Certify every example; after deadline seconds what is left is unreached.

    progress is called with texts done and wanted. Raises DataError for repeated ids and labels the model lacks.
    """
    until = None if deadline is None else time.monotonic() + deadline
    block = max(1, COPIES // (how.selection + how.draws))
    judged: list[Judged] = []
    ordered, queries = _round_robin(checked(examples, tuple(classifier.labels))), 0
    for start in range(0, len(ordered), block):
        oracle = Oracle(classifier, deadline=until, batch_size=BATCH)
        try:
            judged += _judged(oracle, ordered[start : start + block], how, seed)
        except DeadlinePassed:
            break
        finally:
            queries += oracle.queries
        if progress is not None:
            progress(len(judged), len(ordered))
    unreached, gold = ordered[len(judged) :], sum(one.gold for one in judged)
    said = {
        "setting": asdict(how) | {"ceiling": how.ceiling},
        "seed": seed,
        "deadline": deadline,
        "classifier": provenance.identity(classifier),
        "dataset": provenance.dataset(examples),
        "versions": provenance.versions(),
        "label_source": {"gold": gold, "model": len(judged) - gold},
        "counts": {"examples": len(ordered), "certified": len(judged), "queries": queries},
    }
    return Certified(how, tuple(sorted(judged, key=lambda one: (one.lang, one.example))), tuple(unreached), said)


def _judged(oracle: Oracle, examples: Sequence[Example], how: Deletion, seed: int) -> list[Judged]:
    items = [e.item for e in examples]
    blank = [Item("", None if item.pair is None else "") for item in items]
    plain, empty = ([oracle.labels[i] for i in oracle(asked).argmax(axis=1)] for asked in (items, blank))
    found = certify(oracle, examples, how, seed)
    return [
        Judged(e.id, e.lang, e.label or label, e.label is not None, label, nothing, certificate)
        for e, label, nothing, certificate in zip(examples, plain, empty, found, strict=True)
    ]


def _round_robin(examples: Iterable[Example]) -> list[Example]:
    """The first example of every language, then the second: a run cut short has seen every language alike."""
    langs: dict[str, list[Example]] = defaultdict(list)
    for example in sorted(examples, key=lambda e: (e.lang, e.id)):
        if langs[example.lang] and langs[example.lang][-1].id == example.id:
            raise DataError(f"two {example.lang} examples have the id {example.id!r}; an id stands once in a language")
        langs[example.lang].append(example)
    return [one for one in chain.from_iterable(zip_longest(*langs.values())) if one is not None]


def _radii(most: int) -> list[int]:
    """The radii that are reported: every one, or where there are many 0, 1, 2, 4, ... and the highest possible."""
    return list(range(most + 1)) if most <= 8 else sorted({0, most, *(2**i for i in range(most.bit_length()))})


def _share(hits: Iterable[bool]) -> Share | None:
    return share([(hit, 1) for hit in hits])


def _order(curve: Curve) -> tuple[float, float, str]:
    found = [curve.radii.get(radius) for radius in (1, 0)]
    first, second = (2.0 if one is None else one.value for one in found)
    return first, second, curve.lang
