"""What live probing has counted, in one SQLite file of the state folder that all probers add to; numbers only.

Drift compares two windows of texts: the first ones since the model was loaded, and the latest. They are kept as
blocks of a tenth of a window; blocks between the two windows are forgotten.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from probes.running.database import connect, writing

FILE = "live.sqlite"
"""Its name in the state folder."""
BLOCKS = 10
"""Blocks of a window."""
BINS = 20
"""Equal parts of 0..1 into which the probability of the best label falls."""
_KIND, _APPLICATION = "counts of live probing", 0x62704C56
_FORGET_S = 30.0
"""What another model under the same name had counted is forgotten so long after its last text."""
_SCHEMA = """
CREATE TABLE models (name TEXT, sha256 TEXT, texts INTEGER, seen REAL, PRIMARY KEY (name, sha256));
CREATE TABLE flips (name TEXT, sha256 TEXT, lang TEXT, family TEXT, trials INTEGER, flips INTEGER,
    PRIMARY KEY (name, sha256, lang, family));
CREATE TABLE texts (name TEXT, sha256 TEXT, block INTEGER, lang TEXT, bin INTEGER, n INTEGER,
    PRIMARY KEY (name, sha256, block, lang, bin))
"""

Model = tuple[str, str]
"""Name and digest."""


@dataclass(slots=True)
class Tally:
    """Counts: (trials, flips) by language and family, texts by language and bin."""

    trials: Counter[tuple[str, str]] = field(default_factory=Counter)
    flips: Counter[tuple[str, str]] = field(default_factory=Counter)
    texts: Counter[tuple[str, int]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Counted:
    """All there is on a model: totals, and the texts of the first and of the latest window."""

    name: str
    sha256: str
    total: int
    tally: Tally
    first: Counter[tuple[str, int]]
    latest: Counter[tuple[str, int]]


class Counts:
    """The file, to add to."""

    def __init__(self, path: Path, window: int, clock: Callable[[], float] = time.time) -> None:
        self._connection = connect(path, _KIND, _APPLICATION, _SCHEMA)
        self._block = max(1, window // BLOCKS)
        self._clock = clock

    def add(self, model: Model, tally: Tally) -> None:
        """Add a few texts' counts, whole or not at all."""
        now, own = self._clock(), self._connection
        with writing(own):
            own.execute("INSERT INTO models VALUES (?, ?, 0, ?) ON CONFLICT DO UPDATE SET seen = ?", (*model, now, now))
            [before] = own.execute("SELECT texts FROM models WHERE name = ? AND sha256 = ?", model).fetchone()
            new = tally.texts.total()
            own.execute("UPDATE models SET texts = texts + ? WHERE name = ? AND sha256 = ?", (new, *model))
            own.executemany(
                "INSERT INTO flips VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                "trials = trials + excluded.trials, flips = flips + excluded.flips",
                [(*model, *cell, n, tally.flips[cell]) for cell, n in tally.trials.items()],
            )
            block = before // self._block
            own.executemany(
                "INSERT INTO texts VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
                [(*model, block, lang, part, n) for (lang, part), n in tally.texts.items()],
            )
            between = "DELETE FROM texts WHERE name = ? AND sha256 = ? AND block >= ? AND block <= ?"
            own.execute(between, (*model, BLOCKS, block - BLOCKS))
            self._forget(model, now)

    def close(self) -> None:
        self._connection.close()

    def _forget(self, model: Model, now: float) -> None:
        name, sha256 = model
        old = self._connection.execute(
            "SELECT sha256 FROM models WHERE name = ? AND sha256 != ? AND seen < ?", (name, sha256, now - _FORGET_S)
        ).fetchall()
        for table in ("models", "flips", "texts"):
            self._connection.executemany(
                f"DELETE FROM {table} WHERE name = ? AND sha256 = ?", [(name, *one) for one in old]
            )


def read(path: Path, names: Collection[str]) -> list[Counted]:
    """What was counted of models of these names, the latest seen under each; nothing where there is no file.

    Raises sqlite3.Error where the file cannot be read.
    """
    if not path.is_file():
        return []
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=1)) as opened:
        if not opened.execute("SELECT 1 FROM sqlite_master WHERE name = 'texts'").fetchone():
            return []  # a prober is just making it
        models = {
            name: (sha256, n)
            for name, sha256, n in opened.execute("SELECT name, sha256, texts FROM models ORDER BY seen")
            if name in names
        }
        return [_counted(opened, (name, sha256), n) for name, (sha256, n) in sorted(models.items())]


def _counted(opened: sqlite3.Connection, model: Model, total: int) -> Counted:
    tally, first, latest = Tally(), Counter[tuple[str, int]](), Counter[tuple[str, int]]()
    of = "FROM {} WHERE name = ? AND sha256 = ?"
    for lang, family, trials, flips in opened.execute(
        "SELECT lang, family, trials, flips " + of.format("flips"), model
    ):
        tally.trials[lang, family], tally.flips[lang, family] = trials, flips
    rows = opened.execute("SELECT block, lang, bin, n " + of.format("texts"), model).fetchall()
    newest = max((block for block, *_ in rows), default=0)
    for block, lang, part, n in rows:
        if block < BLOCKS:
            first[lang, part] += n
        elif block > newest - BLOCKS:
            latest[lang, part] += n
    return Counted(*model, total, tally, first, latest)
