"""The state of a run, on disk: its examples in their order, and the outcomes of the blocks that are done."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, overload

from probes.data import DataError
from probes.report import Outcome, outcome_from_json, outcome_to_json
from probes.running.database import StoreError, connect, reading, told, writing
from probes.statistics.sequential import turn
from probes.types import Example, Item

BLOCK = 32
"""Examples prepared and asked together: enough to fill batches, few enough that a deadline or a kill wastes little."""

FILE = "run.sqlite"
_KIND = "the state of a run"
_APPLICATION = 0x62707374
# Ids and languages are bytes, so that half a character passes and order is that of Python.
_SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, said TEXT NOT NULL);
CREATE TABLE examples (
    place INTEGER PRIMARY KEY, lang BLOB NOT NULL, id BLOB NOT NULL, gold INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE TABLE blocks (number INTEGER PRIMARY KEY, queries INTEGER NOT NULL, whole INTEGER NOT NULL);
CREATE TABLE outcomes (
    block INTEGER NOT NULL, step INTEGER NOT NULL, lang BLOB NOT NULL, example BLOB NOT NULL, draw INTEGER NOT NULL,
    status TEXT NOT NULL, body TEXT NOT NULL
);
CREATE UNIQUE INDEX in_order ON outcomes (step, lang, example, draw)"""
_IN_ORDER = "SELECT body FROM outcomes ORDER BY step, lang, example, draw"
# One example of every language, drawn at random, then the next: a run cut short has seen every language alike.
_ROUND_ROBIN = """
INSERT INTO examples SELECT ROW_NUMBER() OVER (ORDER BY round, lang) - 1, lang, id, gold, body
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY lang ORDER BY turn, id) AS round FROM raw)"""

_REPEATED = "SELECT COUNT(*) - COUNT(DISTINCT hex(lang) || json_extract(body, '$[2]', '$[3]')) FROM examples"


@dataclass(frozen=True, slots=True)
class Block:
    """What is probed together and kept together; the number says its place in the run."""

    number: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """A block's outcomes and the queries they took; whole is False where the deadline passed over some of it."""

    number: int
    outcomes: Sequence[Outcome]
    queries: int
    whole: bool


class State(AbstractContextManager["State"]):
    """A run in a folder, or without one in a private temporary file.

    facts are what makes the run this run and no other, by name: a folder that holds a run of other facts is refused.
    Only one process can have a folder open. Raises StoreError.
    """

    def __init__(self, folder: Path | None, facts: Mapping[str, Any], steps: Sequence[str]) -> None:
        self.path = None if folder is None else folder / FILE
        self._said = str(self.path or "the temporary file of the run")
        self._places = {name: place for place, name in enumerate(steps)}
        self._connection = connect(self.path or "", _KIND, _APPLICATION, _SCHEMA, alone=True)
        try:
            for name, value in facts.items():
                self._same(name, value)
        except BaseException:
            self._connection.close()
            raise

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def fact(self, name: str, value: Any) -> Any:
        """What was said under this name when the run began; now, if it begins now."""
        said = json.dumps(value, sort_keys=True)
        with told(self._said, _KIND):
            self._connection.execute("INSERT OR IGNORE INTO facts VALUES (?, ?)", [name, said])
            [kept] = self._connection.execute("SELECT said FROM facts WHERE name = ?", [name]).fetchone()
        return json.loads(kept)

    def stage(self, examples: Iterable[Example], seed: int) -> None:
        """Put the examples in an order of the seed, whatever order they come in; DataError where two have one id."""
        if self._staged():
            self._same("examples", _sum(map(_body, examples)))
            with told(self._said, _KIND), writing(self._connection):
                for table, key in (("outcomes", "block"), ("blocks", "number")):
                    unfinished = "SELECT number FROM blocks WHERE NOT whole"
                    self._connection.execute(f"DELETE FROM {table} WHERE {key} IN ({unfinished})")
            return
        execute = self._connection.execute
        with told(self._said, _KIND), writing(self._connection):
            execute("CREATE TEMP TABLE raw (lang BLOB, id BLOB, gold INTEGER, body TEXT, turn TEXT)")
            turned = ((e, turn(seed, e.id, e.lang)) for e in examples)
            rows = ((_bytes(e.lang), _bytes(e.id), e.label is not None, _body(e), place) for e, place in turned)
            self._connection.executemany("INSERT INTO raw VALUES (?, ?, ?, ?, ?)", rows)
            twice = execute("SELECT lang, id FROM raw GROUP BY lang, id HAVING COUNT(*) > 1 LIMIT 1").fetchone()
            if twice:
                lang, name = map(_text, twice)
                raise DataError(f"two {lang} examples have the id {name!r}; an id stands once in a language")
            execute(_ROUND_ROBIN)
            bodies = (body for (body,) in execute("SELECT body FROM raw"))
            execute("INSERT INTO facts VALUES ('examples', ?)", [json.dumps(_sum(bodies))])
            execute("DROP TABLE raw")

    def dataset(self) -> dict[str, Any]:
        """Digest and languages of the examples; how many have a gold label, how many repeat another text."""
        whole = hashlib.sha256(b"[")
        with told(self._said, _KIND):
            # by id: the order of the file says nothing
            for place, (body,) in enumerate(self._connection.execute("SELECT body FROM examples ORDER BY id, lang")):
                whole.update((", " if place else "").encode() + body.encode())
            langs = self._connection.execute("SELECT lang, COUNT(*), SUM(gold) FROM examples GROUP BY lang").fetchall()
            [repeated] = self._connection.execute(_REPEATED).fetchone()
        whole.update(b"]")
        return {
            "sha256": whole.hexdigest(),
            "languages": {_text(lang): n for lang, n, _ in langs},
            "gold": sum(gold for _, _, gold in langs),
            "repeated": repeated,
        }

    def blocks(self) -> Iterator[Block]:
        """The blocks that are not done, in order."""
        done = {number for (number,) in self._connection.execute("SELECT number FROM blocks")}
        [count] = self._connection.execute("SELECT COUNT(*) FROM examples").fetchone()
        for number in range(-(-count // BLOCK)):
            if number not in done:
                query = "SELECT body FROM examples WHERE place >= ? AND place < ? ORDER BY place"
                rows = self._connection.execute(query, [number * BLOCK, (number + 1) * BLOCK])
                yield Block(number, tuple(_example(body) for (body,) in rows))

    def keep(self, done: Done) -> None:
        """Write down a block, whole or not at all."""
        rows = [
            (done.number, self._places[o.step], _bytes(o.lang), _bytes(o.example), o.draw, o.status, _dump(o))
            for o in done.outcomes
        ]
        with told(self._said, _KIND), writing(self._connection):
            self._connection.execute("INSERT INTO blocks VALUES (?, ?, ?)", [done.number, done.queries, done.whole])
            self._connection.executemany("INSERT INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def done(self) -> Iterator[tuple[int, list[Outcome]]]:
        """The outcomes of the blocks that are done, with their numbers."""
        rows = self._connection.execute("SELECT block, body FROM outcomes ORDER BY rowid")
        for number, block in groupby(rows, key=itemgetter(0)):
            yield number, [_load(body) for _, body in block]

    def counts(self) -> dict[str, int]:
        """Outcomes, the queries they took, and how many there are of each status."""
        with told(self._said, _KIND):
            [queries] = self._connection.execute("SELECT COALESCE(SUM(queries), 0) FROM blocks").fetchone()
            found = Counter(dict(self._connection.execute("SELECT status, COUNT(*) FROM outcomes GROUP BY status")))
        return {"outcomes": found.total(), "queries": queries, **dict(sorted(found.items()))}

    def outcomes(self) -> Sequence[Outcome]:
        """Every outcome, by step, language, example and draw; those of a folder stay on disk."""
        if self.path is not None:
            return Kept(self.path, self.counts()["outcomes"])
        return tuple(_load(body) for (body,) in self._connection.execute(_IN_ORDER))

    def _staged(self) -> bool:
        with told(self._said, _KIND):
            return self._connection.execute("SELECT 1 FROM facts WHERE name = 'examples'").fetchone() is not None

    def _same(self, name: str, value: Any) -> None:
        if self.fact(name, value) != json.loads(json.dumps(value)):
            raise StoreError(
                f"{self._said} holds a run with other {name}; name another folder, or delete this one to begin anew"
            )


class Kept(Sequence[Outcome]):
    """The outcomes of a finished run, read from its state as they are wanted."""

    def __init__(self, path: Path, length: int) -> None:
        self._path, self._length = path, length

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Outcome]:
        for (body,) in reading(self._path, _KIND, _IN_ORDER):
            yield _load(str(body))

    def ordered(self, by: Sequence[str]) -> Iterator[Outcome]:
        """Every outcome, those of one lang or step, or of both, together."""
        columns = [column for column in ("lang", "step") if column in by]
        for (body,) in reading(self._path, _KIND, _IN_ORDER.replace("step", ", ".join([*columns, "step"]), 1)):
            yield _load(str(body))

    @overload
    def __getitem__(self, place: int) -> Outcome: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Outcome]: ...
    def __getitem__(self, place: int | slice) -> Outcome | Sequence[Outcome]:
        wanted = range(self._length)[place]
        if isinstance(wanted, range):
            return tuple(self[one] for one in wanted)
        [(body,)] = reading(self._path, _KIND, f"{_IN_ORDER} LIMIT 1 OFFSET {wanted}")
        return _load(str(body))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")


def _body(example: Example) -> str:
    return json.dumps([example.id, example.lang, example.item.text, example.item.pair, example.label])


def _example(body: str) -> Example:
    name, lang, text, pair, label = json.loads(body)
    return Example(name, Item(text, pair), lang, label)


def _sum(bodies: Iterable[str]) -> str:
    """A digest of examples that does not depend on their order."""
    total = sum(int.from_bytes(hashlib.sha256(body.encode()).digest()) for body in bodies)
    return f"{total:x}"


def _dump(outcome: Outcome) -> str:
    return json.dumps(outcome_to_json(outcome))


def _load(body: str) -> Outcome:
    return outcome_from_json(json.loads(body))
