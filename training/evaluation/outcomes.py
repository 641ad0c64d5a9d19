"""What one evaluation saw: a judgement for every text of every part, and how much noise each prediction bears."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import Any

from probes.files import replacing

FORMAT = "babelproof-evaluation/1"
UNTRIED = ("not_applicable", "out_of_budget")
"""Statuses of texts that say nothing about the model: counted, shown, never averaged in."""


class EvaluationError(ValueError):
    """An evaluation that cannot be made, read or compared, and why."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One final prediction; probabilities have four decimals, as what lies behind them hangs on batching.

    part is "clean", "generalized", "noisy:NAME" or "attacked:NAME". In "generalized" lang is the ordered pair
    "de-fr": language of the text, language of its pair. id is that of the example, the same for every model and
    seed. right: the final prediction is the gold label; under a battery or an attack also the clean one was.
    """

    part: str
    lang: str
    id: str
    right: bool
    label: str
    predicted: str
    confidence: float
    """Probability of the predicted label."""
    gold: float
    """Probability of the gold label."""
    status: str = ""
    """Under noise and attack: held, fooled, wrong_already, not_applicable or out_of_budget; empty: no clean twin."""
    brier: float | None = None
    """Sum over labels of (probability - truth) squared, 0..2; on clean texts alone."""


@dataclass(frozen=True, slots=True)
class Radius:
    """The largest noise norm of the grid that a prediction bears; censored: it bears the largest there is."""

    lang: str
    id: str
    radius: float
    censored: bool


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything one model answered to a suite whose rows and noise were drawn by `seed`."""

    model: str
    suite: str
    seed: int
    provenance: Mapping[str, Any]
    judged: tuple[Judged, ...]
    radii: tuple[Radius, ...] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts there are judgements of, in order."""
        return tuple(dict.fromkeys(one.part for one in self.judged))

    def write(self, path: Path) -> None:
        """Write one JSON file, gzipped if its name ends in .gz, whole or not at all; equal inputs, equal bytes."""
        whole = {
            "format": FORMAT,
            "model": self.model,
            "suite": self.suite,
            "seed": self.seed,
            "provenance": dict(self.provenance),
            "judged": _rows(Judged, self.judged),
            "radii": _rows(Radius, self.radii),
        }
        text = json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False) + "\n"
        content = gzip.compress(text.encode(), mtime=0) if path.suffix == ".gz" else text.encode()
        with replacing(path) as temporary:
            temporary.write_bytes(content)

    @classmethod
    def read(cls, path: Path) -> Evaluation:
        """The evaluation that write wrote; EvaluationError says what else the file is."""
        try:
            content = path.read_bytes()
            whole = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
            if whole.pop("format") != FORMAT:
                raise ValueError(f"its format is not {FORMAT!r}")
            judged = tuple(Judged(*row) for row in whole.pop("judged"))
            return cls(judged=judged, radii=tuple(Radius(*row) for row in whole.pop("radii")), **whole)
        except (OSError, EOFError, zlib.error, ValueError, LookupError, TypeError, AttributeError) as error:
            raise EvaluationError(f"{path} is no evaluation: {error}; write it anew with evaluate") from error


def _rows(kind: type[Judged] | type[Radius], found: Sequence[Judged] | Sequence[Radius]) -> list[tuple[Any, ...]]:
    """Each as a tuple in the order of its fields."""
    values = attrgetter(*(field.name for field in fields(kind)))
    return [values(one) for one in found]
