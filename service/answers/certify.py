"""From a request to /certify to its answer: the label most changed copies of a text get, and what cannot change it."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, PositiveInt

from probes.certificates import deletion, smoothing
from probes.certificates.deletion import Deletion
from probes.oracle import DeadlinePassed, Oracle
from probes.types import Classifier, Example, Item, Probabilities
from runtime.smoothed import SmoothedClassifier
from service.answers.predict import check_texts
from service.answers.robustness import spoken
from service.answers.schemas import LanguageCode, Strict
from service.http.errors import Refusal
from service.settings import Settings

_BATCH = 64
"""Copies between two looks at the clock."""
MOST_SEED = 2**53
"""Seeds are below it, so that every JSON reader gives them back as they are."""


class CertifyRequest(Strict):
    """A request to /certify."""

    texts: list[str] = Field(min_length=1)
    pairs: list[str] | None = Field(None, description="The second text of each text, for models of text pairs.")
    languages: list[LanguageCode | None] | None = Field(None, description="Codes; detected where absent or null.")
    kind: Literal["deletion", "gaussian"] = Field(
        "deletion", description="What copies lose letters or words, or get noise on their embeddings."
    )
    unit: Literal["grapheme", "word"] = Field("grapheme", description="Of deletion: what is deleted and counted.")
    deletion: float = Field(0.8, gt=0, lt=1, description="Of deletion: the probability with which a unit is deleted.")
    sigma: float | None = Field(None, gt=0, le=100, description="Of gaussian: the noise; by default the model's own.")
    n0: PositiveInt = Field(100, description="Copies of a text that choose its label.")
    n: PositiveInt = Field(1000, description="Other copies, which bound the probability of that label.")
    alpha: float = Field(0.001, gt=0, lt=0.5, description="Probability with which a certificate may be wrong.")
    seed: int | None = Field(
        None, ge=0, lt=MOST_SEED, description="Fixes the copies; by default one nobody can know before, and answered."
    )
    deadline_ms: PositiveInt | None = Field(None, description="When to stop; what was done by then is answered.")


class Certificate(BaseModel):
    """One text: no label where the vote was not clear (`abstained`), no vote where the deadline came (`unreached`).

    radius is counted in `unit`: edits of graphemes or words of any kind together, or the l2 norm of a move of the
    embeddings. lower bounds the probability of the label. plain: the answer without any vote; empty: that to an empty
    text; a certificate for the label of the empty text may say nothing of this text. units: the length of the text.
    """

    status: Literal["certified", "abstained", "unreached"]
    label: str | None = None
    radius: float = 0.0
    unit: Literal["grapheme", "word", "l2"]
    insertions: int | None = None
    deletions: int | None = None
    lower: float | None = None
    counts: dict[str, int] | None = None
    units: int | None = None
    plain: str | None = None
    empty: str | None = None


class CertifyAnswer(BaseModel):
    """The answer of /certify; `ceiling` is the radius of a unanimous vote, so that none is larger."""

    model: str
    kind: Literal["deletion", "gaussian"]
    n0: int
    n: int
    alpha: float
    seed: int
    deletion: float | None
    sigma: float | None
    ceiling: float
    truncated: bool
    elapsed_ms: int
    certificates: list[Certificate]


class Stoppable:
    """A classifier that stops being asked at a deadline (time.monotonic), or when nobody waits any more."""

    def __init__(self, classifier: Classifier, deadline: float) -> None:
        self.labels = classifier.labels
        self.gone = threading.Event()
        self._classifier, self._deadline = classifier, deadline

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        self.look()
        return self._classifier(items)

    def look(self) -> None:
        """DeadlinePassed when it is time to stop."""
        if self.gone.is_set() or time.monotonic() >= self._deadline:
            raise DeadlinePassed("the deadline has passed")


def check(request: CertifyRequest, settings: Settings) -> None:
    """Refusal when a request asks for more than is allowed, or for certificates that say nothing."""
    for field in ("texts", "pairs"):
        check_texts(getattr(request, field) or (), field, settings.max_certify_texts, settings.max_certify_chars)
    for field in ("pairs", "languages"):
        values = getattr(request, field)
        if values is not None and len(values) != len(request.texts):
            sentence = f"{field} has {len(values)} elements for {len(request.texts)} texts; send one for each."
            raise Refusal(422, "unequal_lengths", sentence)
    if request.n0 + request.n > settings.max_certify_samples:
        sentence = f"n0 and n are {request.n0 + request.n} copies; at most {settings.max_certify_samples} are allowed."
        raise Refusal(413, "too_many_samples", sentence)
    if (request.deadline_ms or 0) > settings.max_deadline_ms:
        raise Refusal(422, "deadline_too_long", f"deadline_ms may be at most {settings.max_deadline_ms}.")
    if ceiling(request) <= 0:
        raise Refusal(422, "certifies_nothing", "Even a unanimous vote certifies nothing; raise n, alpha or deletion.")


def ceiling(request: CertifyRequest, sigma: float = 1.0) -> float:
    """The radius that a unanimous vote has."""
    unanimous = request.alpha ** (1 / request.n)
    if unanimous <= 0.5:
        return 0.0
    if request.kind == "gaussian":
        return smoothing.radius(unanimous, sigma)
    return deletion.radius(unanimous, request.deletion)


def certificates(request: CertifyRequest, certificate: Callable[[Item, str], Certificate]) -> list[Certificate]:
    """The certificate of each text, of a language; as unreached from where time was up."""
    nothing: list[None] = [None] * len(request.texts)
    found = []
    for text, pair, lang in zip(request.texts, request.pairs or nothing, request.languages or nothing, strict=True):
        try:
            found.append(certificate(Item(text, pair), spoken(text, lang).lang))
        except DeadlinePassed:
            unit = request.unit if request.kind == "deletion" else "l2"
            found.append(Certificate(status="unreached", unit=unit))
    return found


def by_deletion(asked: Stoppable, request: CertifyRequest, seed: int, item: Item, lang: str) -> Certificate:
    """The certificate of a text against edits."""
    how = Deletion(request.unit, request.deletion, request.n0, request.n, request.alpha)
    oracle, example = Oracle(asked, batch_size=_BATCH), Example("", item, lang)
    blank = Item("", None if item.pair is None else "")
    plain, empty = (oracle.labels[i] for i in oracle([item, blank]).argmax(axis=1))
    (drawn,) = deletion.votes(oracle, [example], how, seed)
    found = deletion.judged(oracle.labels, example, how, drawn)
    return Certificate(
        status="certified" if found.label is not None else "abstained",
        label=found.label,
        radius=found.radius,
        unit=request.unit,
        insertions=found.insertions,
        deletions=found.deletions,
        lower=found.lower,
        counts=_counts(drawn[request.n0 :], oracle.labels),
        units=found.units,
        plain=plain,
        empty=empty,
    )


def by_noise(
    asked: Stoppable,
    request: CertifyRequest,
    seed: int,
    smoothed: SmoothedClassifier,
    sigma: float,
    item: Item,
    lang: str,
) -> Certificate:
    """The certificate of a text, of whatever language, against moves of its embeddings."""
    labels, drawn = smoothed.labels, list[NDArray[np.int64]]()
    sampler = smoothed.sampler(item, sigma)

    def sample(draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
        parts = []
        for start in range(0, draws, _BATCH):
            asked.look()
            parts.append(sampler(min(_BATCH, draws - start), rng))
        drawn.append(np.concatenate(parts))
        return drawn[-1]

    plain = labels[int(asked([item])[0].argmax())]
    sure, rng = 1 - request.alpha, _rng(seed, item)
    found = smoothing.certify(sample, sigma, rng, selection=request.n0, draws=request.n, confidence=sure)
    return Certificate(
        status="certified" if found.label is not None else "abstained",
        label=None if found.label is None else labels[found.label],
        radius=found.radius,
        unit="l2",
        lower=found.lower,
        counts=_counts(drawn[-1], labels),
        plain=plain,
    )


def _counts(drawn: NDArray[np.int64], labels: Sequence[str]) -> dict[str, int]:
    return dict(zip(labels, np.bincount(drawn, minlength=len(labels)).tolist(), strict=True))


def _rng(seed: int, item: Item) -> np.random.Generator:
    key = json.dumps([seed, item.text, item.pair]).encode()
    return np.random.default_rng(int.from_bytes(hashlib.sha256(key).digest()))
