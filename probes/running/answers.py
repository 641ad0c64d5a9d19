"""The answer store: what models answered, kept on disk, so that no model is asked the same again."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from probes.oracle import Oracle
from probes.running.database import StoreError, connect, told, writing
from probes.types import Item, Probabilities

LIMIT = 10_000_000
"""Answers kept, of all models together, the latest ones: with a handful of labels about a gigabyte."""

_KIND = "an answer store"
_APPLICATION = 0x62706173
_SCHEMA = """
CREATE TABLE models (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE answers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, model INTEGER NOT NULL, item BLOB NOT NULL, answer BLOB NOT NULL,
    UNIQUE (model, item)
)"""
# SQLite takes so many values in one statement everywhere.
_MANY = 500


class AnswerStore:
    """The answers of one model in a file that models, processes and threads may share.

    digest names the model down to its last byte. Raises StoreError.
    """

    def __init__(self, path: str | Path, digest: str, labels: Sequence[str], *, limit: int = LIMIT) -> None:
        self.path = Path(path)
        self._width, self._limit = 4 * len(labels), limit
        self._lock = threading.Lock()
        self._connection = connect(path, _KIND, _APPLICATION, _SCHEMA)
        name = json.dumps([digest, *labels])
        with told(path, _KIND), writing(self._connection):
            self._connection.execute("INSERT OR IGNORE INTO models (name) VALUES (?)", [name])
            [self._model] = self._connection.execute("SELECT id FROM models WHERE name = ?", [name]).fetchone()
            [newest] = self._connection.execute("SELECT COALESCE(MAX(id), 0) FROM answers").fetchone()
        self.since: int = newest
        """The last answer that is seen: by default that of this moment, whatever others write meanwhile."""

    def recall(self, items: Sequence[Item]) -> dict[Item, Probabilities]:
        """The answers that are known, each of shape (len(labels),)."""
        keys = {_key(item): item for item in items}
        found: dict[Item, Probabilities] = {}
        with self._lock, told(self.path, _KIND):
            for start in range(0, len(keys), _MANY):
                some = list(keys)[start : start + _MANY]
                query = (
                    "SELECT item, answer FROM answers WHERE model = ? AND id <= ? "
                    f"AND item IN ({', '.join('?' * len(some))})"
                )
                for key, answer in self._connection.execute(query, [self._model, self.since, *some]):
                    if len(answer) != self._width:
                        raise StoreError(f"{self.path} is damaged: an answer has the wrong length; delete it")
                    found[keys[key]] = np.frombuffer(answer, dtype="<f4").astype(np.float32)
        return found

    def keep(self, answers: Mapping[Item, Probabilities]) -> None:
        """Add answers, all or none; what is known stays, and beyond the limit the oldest go."""
        rows = [(self._model, _key(item), answer.astype("<f4").tobytes()) for item, answer in answers.items()]
        with self._lock, told(self.path, _KIND), writing(self._connection):
            self._connection.executemany("INSERT OR IGNORE INTO answers (model, item, answer) VALUES (?, ?, ?)", rows)
            self._connection.execute("DELETE FROM answers WHERE id <= (SELECT MAX(id) FROM answers) - ?", [self._limit])

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class Remembering:
    """A classifier that asks a store first, and an oracle over the model for the rest: its answers are to be kept."""

    def __init__(self, store: AnswerStore, asked: Oracle) -> None:
        self.labels = asked.labels
        self.asked = asked
        self._store = store

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        """Probabilities of shape (len(items), len(labels))."""
        known = self._store.recall(items)
        self.asked([item for item in items if item not in known])
        return np.stack([known[item] if item in known else self.asked.answers[item] for item in items])


def _key(item: Item) -> bytes:
    return hashlib.sha256(json.dumps([item.text, item.pair]).encode()).digest()[:16]
