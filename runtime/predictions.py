"""A file of predictions as a classifier: what any model said of each text, made beforehand, wherever that was."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from probes.types import Item, Probabilities

ENDINGS = (".jsonl", ".jsonl.gz")
COLUMNS = ("text", "text_pair", "scores")
# Scores are often rounded when they are written.
_OFF = 0.01


class PredictionError(ValueError):
    """A file that is none of predictions, or says nothing of a text; the message says where, or of which."""


class PredictionFile:
    """JSON lines of a text (perhaps its text_pair) and its scores, a probability for each label.

    Every line has the same labels; those of the first are in order. All of it is held in memory. PredictionError.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.labels: tuple[str, ...] = ()
        self._rows: dict[bytes, Probabilities] = {}
        whole = hashlib.sha256()
        try:
            for number, line in self._lines():
                whole.update(line)
                if line.strip():
                    self._add(line, f"{path}, line {number}")
        except (OSError, EOFError) as error:
            raise PredictionError(f"{path} cannot be read: {error}") from error
        if not self._rows:
            raise PredictionError(f"{path}: there are no predictions in it")
        self.digest = whole.hexdigest()
        self.identity: Mapping[str, Any] = {"predictions": self.path.name, "sha256": self.digest}

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        """Probabilities of shape (len(items), len(labels)); PredictionError for a text the file does not have."""
        missing = [item for item in items if _key(item) not in self._rows]
        if missing:
            first = json.dumps({"text": missing[0].text, "text_pair": missing[0].pair}, ensure_ascii=False)
            raise PredictionError(
                f"{self.path} has no prediction for {len(missing)} of {len(items)} texts; the first is {first}. "
                "Every text the battery asks for must have been predicted beforehand, the edited ones too"
            )
        return np.stack([self._rows[_key(item)] for item in items])

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        with gzip.open(self.path) if self.path.suffix == ".gz" else self.path.open("rb") as file:
            yield from enumerate(file, 1)

    def _add(self, line: bytes, where: str) -> None:
        row = _row(line, where)
        scores = row["scores"]
        self.labels = self.labels or tuple(scores)
        if set(scores) != set(self.labels):
            raise PredictionError(f"{where}: the labels are {', '.join(scores)}, before {', '.join(self.labels)}")
        item = Item(row["text"], row.get("text_pair"))
        answer = np.array([scores[label] for label in self.labels], dtype=np.float32)
        if not np.array_equal(self._rows.setdefault(_key(item), answer), answer):
            raise PredictionError(f"{where}: this text has had other scores before")


def _row(line: bytes, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise PredictionError(f"{where}: not JSON ({error})") from error
    if not isinstance(row, dict) or not isinstance(row.get("text"), str) or not isinstance(row.get("scores"), dict):
        raise PredictionError(f'{where}: {{"text": ..., "scores": {{label: probability}}}} was expected')
    if strange := sorted(set(row) - set(COLUMNS)):
        raise PredictionError(f"{where}: no column is called {strange[0]!r}; known: {', '.join(COLUMNS)}")
    if not isinstance(row.get("text_pair"), str | None):
        raise PredictionError(f"{where}: text_pair must be a text")
    scores = list(row["scores"].values())
    fine = all(isinstance(score, int | float) and score >= 0 for score in scores)
    if not fine or not math.isclose(sum(scores), 1, abs_tol=_OFF):
        raise PredictionError(f"{where}: scores are probabilities, which sum to one; these are {scores}")
    return row


def _key(item: Item) -> bytes:
    return hashlib.sha256(json.dumps([item.text, item.pair]).encode()).digest()[:16]
