"""What the service answers, as types; keys of a newer service that are not known here are left out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from runtime.client.errors import WrongAnswer

T = TypeVar("T")


def read(kind: type[T], found: Any, where: str) -> T:
    """The value that decoded JSON stands for; WrongAnswer names what is not as agreed."""
    try:
        value: T = _adapter(cast(Any, kind)).validate_python(found)
        return value
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, fault["loc"])) or "the answer"
        raise WrongAnswer(f"{where} answered something else: {place}: {fault['msg']}") from None


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


@dataclass(frozen=True, slots=True)
class Score:
    """A label and its score."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """A language, and whether it was given or detected."""

    lang: str
    source: str
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Span:
    """Code points start:end of the text as it was became `new`."""

    start: int
    end: int
    new: str


@dataclass(frozen=True, slots=True)
class Weakest:
    """The perturbation that changed the label most often."""

    name: str
    flips: int
    n: int


@dataclass(frozen=True, slots=True)
class Worst:
    """The variant that hurt the label most."""

    probe: str
    changed: str
    edits: tuple[Span, ...]
    changed_pair: str | None
    pair_edits: tuple[Span, ...]
    label: str
    margin: float


@dataclass(frozen=True, slots=True)
class Card:
    """How an input stands small slips; see the documentation of /predict for each figure."""

    language: Spoken
    seed: int
    margin: float
    variants: int
    flips: int
    flip_rate: float | None
    low: float | None
    high: float | None
    least_margin: float | None
    weakest: Weakest | None
    worst: Worst | None


@dataclass(frozen=True, slots=True)
class Predicted:
    """The labels of one input, best first, and its card where one was asked for."""

    scores: tuple[Score, ...]
    card: Card | None = None

    @property
    def label(self) -> str:
        """The best label."""
        return self.scores[0].label


@dataclass(frozen=True, slots=True)
class Detected:
    """A language and how sure the detector is, 0..1."""

    lang: str
    name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Certificate:
    """One text: certified, abstained or unreached, with the radius in its unit."""

    status: str
    label: str | None
    radius: float
    unit: str
    lower: float | None
    counts: dict[str, int] | None


@dataclass(frozen=True, slots=True)
class Certified:
    """The answer to certify; `ceiling` is the radius of a unanimous vote."""

    model: str
    kind: str
    n0: int
    n: int
    alpha: float
    seed: int
    ceiling: float
    truncated: bool
    certificates: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True)
class Flip:
    """A text whose label a probe changed."""

    index: int
    text: str
    changed: str | None
    edits: tuple[Span, ...]
    changed_pair: str | None
    pair_edits: tuple[Span, ...]
    label: str | None
    changed_label: str | None
    queries: int


@dataclass(frozen=True, slots=True)
class Row:
    """A language under a step; the rate is None where the probe could touch nothing."""

    lang: str
    step: str
    n: int
    flips: int
    rate: float | None
    low: float | None
    high: float | None
    measured: bool
    examples: tuple[Flip, ...]


@dataclass(frozen=True, slots=True)
class Probed:
    """The answer to probe; `truncated` says that the deadline came before the end."""

    model: str
    languages: tuple[Spoken, ...]
    truncated: bool
    elapsed_ms: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """Outcomes there are, and outcomes there will be; None while that is not known."""

    done: int
    wanted: int | None


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed."""

    code: str
    error: str


@dataclass(frozen=True, slots=True)
class Job:
    """A battery that runs, or ran, on the service."""

    id: str
    state: str
    model: str
    battery: str
    texts: int
    progress: Progress
    created: datetime
    ended: datetime | None
    error: JobError | None
    sha256: str | None
    revision: int

    @property
    def alive(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ("queued", "running")


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs, the latest first; `next` is the `after` of the page that follows."""

    jobs: tuple[Job, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A model that is open."""

    name: str
    sha256: str
    labels: tuple[str, ...]
    languages: tuple[str, ...]
    pairs: bool


@dataclass(frozen=True, slots=True)
class Model:
    """A served model."""

    name: str
    default: bool
    active: Opened
    previous: str | None
    candidate: Opened | None
