"""Data named in recipes: sets, files and hub sets; hashes; what is said when they are not there."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from probes.types import Example, Item
from training.data import DataError, Source, limited, load

ROWS: list[dict[str, Any]] = [
    {"id": "1", "lang": "en", "text": "a team", "label": "sports", "genre": "news"},
    {"id": "1", "lang": "de", "text": "ein Team", "label": "sports"},
    {"id": "2", "lang": "de", "text": "ein Arzt", "text_pair": "krank", "label": "health"},
]


def write(path: Path, rows: list[dict[str, Any]] = ROWS) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def test_set_with_languages_and_hash(tmp_path: Path) -> None:
    path = write(tmp_path / "toy" / "train.jsonl.gz")
    loaded = load([Source("toy:train:de")], tmp_path)
    assert loaded.examples == (
        Example("1", Item("ein Team"), "de", "sports"),
        Example("2", Item("ein Arzt", "krank"), "de", "health"),
    )
    assert loaded.labels == ("health", "sports")
    assert loaded.hashes == {"toy/train.jsonl.gz": hashlib.sha256(path.read_bytes()).hexdigest()}
    assert len(load([Source("toy:train")], tmp_path).examples) == 3
    assert [row.lang for row in load([Source("toy:train")], tmp_path, ["en", "sw"]).examples] == ["en"]


def test_set_with_one_file_a_language(tmp_path: Path) -> None:
    write(tmp_path / "toy" / "train.en.jsonl", ROWS[:1])
    write(tmp_path / "toy" / "train.de.jsonl", ROWS[1:])
    loaded = load([Source("toy:train:de,en")], tmp_path)
    assert set(loaded.hashes) == {"toy/train.de.jsonl", "toy/train.en.jsonl"}
    assert len(loaded.examples) == 3


def test_plain_file_with_other_columns(tmp_path: Path) -> None:
    write(tmp_path / "mine.jsonl", [{"premise": "a", "hypothesis": "b", "gold": 1}])
    source = Source("jsonl:mine.jsonl", text="premise", pair="hypothesis", label="gold")
    assert load([source], tmp_path).examples == (Example("1", Item("a", "b"), "en", "1"),)
    absolute = Source(f"jsonl:{tmp_path / 'mine.jsonl'}", text="premise", label="gold")
    assert load([absolute], Path("elsewhere")).hashes.keys() == {"mine.jsonl"}


def test_hub_set_through_the_datasets_library(tmp_path: Path) -> None:
    folder = tmp_path / "hubset"
    write(
        folder / "train.jsonl", [{"sentence": "a team", "topic": "sports"}, {"sentence": "a nurse", "topic": "health"}]
    )
    source = Source(f"hub:{folder}:train", text="sentence", label="topic")
    loaded = load([source], tmp_path)
    assert [(row.item.text, row.label, row.lang) for row in loaded.examples] == [
        ("a team", "sports", "en"),
        ("a nurse", "health", "en"),
    ]
    assert len(loaded.hashes[source.source]) == 64
    with pytest.raises(DataError, match="no column 'txt'; the columns are sentence, topic"):
        load([Source(f"hub:{folder}:train", text="txt")], tmp_path)


def test_absent_data_say_where_was_looked(tmp_path: Path) -> None:
    write(tmp_path / "toy" / "train.jsonl")
    with pytest.raises(DataError, match=rf"{tmp_path} has no set 'toi'.*--data"):
        load([Source("toi:train")], tmp_path)
    with pytest.raises(DataError, match=rf"{tmp_path / 'toy'} for dev\.jsonl\.gz or dev\.jsonl; it holds train\.jsonl"):
        load([Source("toy:dev")], tmp_path)
    with pytest.raises(DataError, match=r"no rows in sw; the languages there are de, en"):
        load([Source("toy:train:sw")], tmp_path)
    with pytest.raises(DataError, match=r"there is no file .*absent\.jsonl"):
        load([Source("jsonl:absent.jsonl")], tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"text": "a", "label": "x"}\n{"text"\n', r"toy\.jsonl, line 2: "),
        (b'{"sentence": "a"}', r"line 1: the column 'text' holds no text; the columns are sentence"),
        (b'{"text": "a", "text_pair": 3}', r"line 1: the column 'text_pair' holds 3"),
        (b'["a"]', r"line 1: an object was expected"),
        (b'{"text": "a"}', r"1 rows have no label"),
        (b"\xff", r"cannot be read as UTF-8"),
    ],
)
def test_bad_rows_are_pointed_at(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "toy.jsonl").write_bytes(content)
    with pytest.raises(DataError, match=message):
        load([Source("jsonl:toy.jsonl")], tmp_path)


def test_a_link_to_sealed_data_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "sealed" / "test.jsonl")
    (tmp_path / "toy").symlink_to(tmp_path / "sealed")
    with pytest.raises(DataError, match="sealed"):
        load([Source("toy:test")], tmp_path)


def test_limited_keeps_order_and_languages(tmp_path: Path) -> None:
    write(tmp_path / "toy" / "train.jsonl", [row | {"id": str(n)} for n in range(20) for row in ROWS[:2]])
    loaded = load([Source("toy:train")], tmp_path)
    few = limited(loaded, 3, np.random.default_rng(0))
    assert [row.lang for row in few.examples].count("de") == [row.lang for row in few.examples].count("en") == 3
    numbers = [int(row.id) for row in few.examples]
    assert numbers == sorted(numbers)
    assert few == limited(loaded, 3, np.random.default_rng(0))
    assert limited(loaded, None, np.random.default_rng(0)) is loaded
