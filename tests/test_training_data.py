"""Sources named in recipes: sets, files and hub sets, their columns and labels, and what is refused."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from probes.types import Example, Item
from training.data import DataError, Loaded, Source, check_labels, limited, load

ROWS: list[dict[str, Any]] = [
    {"id": "1", "lang": "en", "text": "a team", "label": "sports", "genre": "news"},
    {"id": "1", "lang": "de", "text": "ein Team", "label": "sports"},
    {"id": "2", "lang": "de", "text": "ein Arzt", "label": "health"},
]


def write(path: Path, rows: list[dict[str, Any]] = ROWS) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def test_a_set_with_languages_hash_and_note(tmp_path: Path) -> None:
    path = write(tmp_path / "toy" / "train.jsonl.gz")
    loaded = load([Source("toy:train:de")], tmp_path)
    assert loaded.examples == (
        Example("1", Item("ein Team"), "de", "sports"),
        Example("2", Item("ein Arzt"), "de", "health"),
    )
    assert loaded.labels == ("health", "sports")
    assert loaded.hashes == {"toy/train.jsonl.gz": hashlib.sha256(path.read_bytes()).hexdigest()}
    assert loaded.notes == (f"toy:train:de: 2 rows from toy/train.jsonl.gz in {tmp_path}",)
    assert len(load([Source("toy:train")], tmp_path).examples) == 3
    assert [row.lang for row in load([Source("toy:train")], tmp_path, ["en", "sw"]).examples] == ["en"]


def test_one_file_a_language(tmp_path: Path) -> None:
    write(tmp_path / "toy" / "train.en.jsonl", ROWS[:1])
    write(tmp_path / "toy" / "train.de.jsonl", [{"text": "ein Team", "label": "sports"}])
    write(tmp_path / "toy" / "training.jsonl", ROWS)
    loaded = load([Source("toy:train:de,en")], tmp_path)
    assert set(loaded.hashes) == {"toy/train.de.jsonl", "toy/train.en.jsonl"}
    assert load([Source("toy:train")], tmp_path).examples == loaded.examples
    assert load([Source("toy:train:de")], tmp_path).examples == (Example("1", Item("ein Team"), "de", "sports"),)
    write(tmp_path / "toy" / "train.jsonl")
    assert set(load([Source("toy:train")], tmp_path).hashes) == {"toy/train.jsonl"}
    write(tmp_path / "toy" / "train.jsonl.gz")
    with pytest.raises(DataError, match=r"both train\.jsonl and train\.jsonl\.gz"):
        load([Source("toy:train")], tmp_path)


def test_a_plain_file_with_other_columns_and_label_names(tmp_path: Path) -> None:
    write(tmp_path / "mine.jsonl", [{"premise": "a", "hypothesis": "b", "gold": 1}])
    source = Source("file:mine.jsonl", text="premise", pair="hypothesis", label="gold")
    assert load([source], tmp_path).examples == (Example("1", Item("a", "b"), "en", "1"),)
    named = Source("file:mine.jsonl:de", text="premise", label="gold", labels={"0": "no", "1": "yes"})
    assert load([named], tmp_path).examples == (Example("1", Item("a"), "de", "yes"),)
    absolute = Source(f"file:{tmp_path / 'mine.jsonl'}", text="premise", label="gold")
    assert load([absolute], Path("elsewhere")).hashes.keys() == {"mine.jsonl"}
    with pytest.raises(DataError, match=r"line 1: the label '1' is none of those that `labels` names: 0, 2"):
        load([Source("file:mine.jsonl", text="premise", label="gold", labels={"0": "no", "2": "?"})], tmp_path)


def test_rows_that_lack_something_are_left_out_on_demand(tmp_path: Path) -> None:
    rows = [
        {"text": "a", "text_pair": "b", "label": "x"},
        {"text": "NS", "text_pair": "b", "label": "x"},
        {"text": "c", "text_pair": None, "label": "x"},
        {"text": "d", "text_pair": "e", "label": None},
    ]
    write(tmp_path / "mine.jsonl", rows)
    loaded = load([Source("file:mine.jsonl", absent=("", "NS"))], tmp_path)
    assert [row.item.text for row in loaded.examples] == ["a"]
    assert "1 rows from" in loaded.notes[0]
    assert "3 more lack a text or a label" in loaded.notes[0]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"text": "txt"}, r"line 1: the column 'txt' holds no text; the columns are text, label"),
        ({"label": "gold"}, r"there is no column 'gold'; the columns are text, label"),
        ({"pair": "hypotesis"}, r"there is no column 'hypotesis'"),
        ({"id": "number"}, r"there is no column 'number'"),
        ({"lang": "language"}, r"there is no column 'language'"),
    ],
)
def test_wrong_columns_are_named_with_those_that_are_there(tmp_path: Path, keys: dict[str, str], message: str) -> None:
    write(tmp_path / "mine.jsonl", [{"text": "a", "label": "x"}])
    with pytest.raises(DataError, match=message):
        load([Source("file:mine.jsonl", **keys)], tmp_path)  # type: ignore[arg-type]


def test_absent_data_say_where_was_looked(tmp_path: Path) -> None:
    write(tmp_path / "toy" / "train.jsonl")
    with pytest.raises(DataError, match=rf"{tmp_path} has no set 'toi'.*--data"):
        load([Source("toi:train")], tmp_path)
    with pytest.raises(DataError, match=rf"{tmp_path / 'toy'} for dev, or dev\.LANG, .*; it holds train\.jsonl"):
        load([Source("toy:dev")], tmp_path)
    with pytest.raises(DataError, match=r"no rows in sw; the languages there are de, en"):
        load([Source("toy:train:de,sw")], tmp_path)
    with pytest.raises(DataError, match=r"no rows in sw, th; the languages there are de, en"):
        load([Source("toy:train")], tmp_path, ["sw", "th"])
    with pytest.raises(DataError, match=r"there is no file .*absent\.jsonl"):
        load([Source("file:absent.jsonl")], tmp_path)
    write(tmp_path / "mine.json")
    with pytest.raises(DataError, match=r"the ending must be one of \.jsonl, .*\.parquet"):
        load([Source("file:mine.json")], tmp_path)


@pytest.mark.parametrize("source", ["toy", "file:", "hub:name", "toy:train:de:fr", "hub:a:b:c:d", "jsonl::x"])
def test_what_is_no_source(source: str) -> None:
    with pytest.raises(ValueError, match=r"is not SET:SPLIT"):
        Source(source)


def test_only_a_hub_set_has_a_config() -> None:
    with pytest.raises(ValueError, match="only a hub: source has a config"):
        Source("toy:train", config="de")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"text": "a", "label": "x"}\n{"text"\n', r"toy\.jsonl, line 2: "),
        (b'{"text": "a", "label": "x"}\n{"text": " ", "label": "x"}', r"line 2: the column 'text' holds no text"),
        (b'{"text": "a", "text_pair": 3}', r"line 1: the column 'text_pair' holds 3"),
        (b'["a"]', r"line 1: an object was expected"),
        (b'{"text": "a"}', r"there is no column 'label'"),
        (b'{"text": "a", "label": "x"}\n{"text": "b"}', r"1 of 2 rows have no label \(the first: id 2\)"),
        (b"", r"no rows in any language"),
    ],
)
def test_bad_rows_are_pointed_at(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "toy.jsonl").write_bytes(content)
    with pytest.raises(DataError, match=message):
        load([Source("file:toy.jsonl")], tmp_path)


def test_an_id_is_one_row_of_a_language(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [*ROWS, ROWS[2] | {"text": "noch ein Arzt"}])
    with pytest.raises(DataError, match=r"1 ids stand for more than one row of a language \(the first: 2, de\)"):
        load([Source("file:a.jsonl")], tmp_path)
    numbered = load([Source("file:a.jsonl", id="")], tmp_path)
    assert [row.id for row in numbered.examples] == ["1", "2", "3", "4"]


def test_ids_that_two_sources_share_get_the_sources_name(tmp_path: Path) -> None:
    for split in ("train", "dev"):
        write(tmp_path / "toy" / f"{split}.jsonl")
    write(tmp_path / "b.jsonl", [ROWS[0] | {"id": "9"}])
    both = load([Source("toy:train"), Source("toy:dev:de")], tmp_path)
    assert [(row.lang, row.id) for row in both.examples] == [
        ("en", "toy:train:1"), ("de", "toy:train:1"), ("de", "toy:train:2"), ("de", "toy:dev:1"), ("de", "toy:dev:2"),
    ]  # fmt: skip
    apart = load([Source("toy:train:en"), Source("toy:dev:de"), Source("file:b.jsonl")], tmp_path)
    assert [row.id for row in apart.examples] == ["1", "1", "2", "9"], "ids align across languages as they stand"


def test_single_texts_beside_pairs_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [*ROWS, {"id": "3", "text": "a", "text_pair": "b", "label": "x"}])
    with pytest.raises(DataError, match=r"3 rows are single texts \(the first: id 1, en\) and 1 are pairs .*id 3, en"):
        load([Source("file:a.jsonl")], tmp_path)


def test_labels_fit_the_training_rows() -> None:
    def rows(*labels: str) -> Loaded:
        return Loaded(tuple(Example(str(n), Item("a"), "de", label) for n, label in enumerate(labels)), {})

    check_labels(("a", "b"), rows("a", "b"), rows("b"))
    with pytest.raises(DataError, match=r"no training row has the label c; the rows have a, b\. Take it out of labels"):
        check_labels(("a", "b", "c"), rows("a", "b"))
    with pytest.raises(DataError, match=r"2 rows have the label 'z' \(the first: id 1, de\).*; it learns a, b"):
        check_labels(("a", "b"), rows("a", "b"), rows("a", "z", "z"))


def test_a_link_to_sealed_data_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "sealed" / "test.jsonl")
    (tmp_path / "toy").symlink_to(tmp_path / "sealed")
    with pytest.raises(DataError, match="sealed"):
        load([Source("toy:test")], tmp_path)


def test_limited_takes_one_of_each_label_first(tmp_path: Path) -> None:
    rare = [row | {"id": str(n), "label": "rare" if n == 17 else "common"} for n in range(40) for row in ROWS[:2]]
    write(tmp_path / "toy" / "train.jsonl", rare)
    loaded = load([Source("toy:train")], tmp_path)
    for seed in range(5):
        few = limited(loaded, 2, np.random.default_rng(seed))
        assert [(row.lang, row.label) for row in few.examples].count(("de", "rare")) == 1
        assert len(few.examples) == 4


def test_limited_keeps_order_and_languages(tmp_path: Path) -> None:
    write(tmp_path / "toy" / "train.jsonl", [row | {"id": str(n)} for n in range(20) for row in ROWS[:2]])
    loaded = load([Source("toy:train")], tmp_path)
    few = limited(loaded, 3, np.random.default_rng(0))
    assert [row.lang for row in few.examples].count("de") == [row.lang for row in few.examples].count("en") == 3
    numbers = [int(row.id) for row in few.examples]
    assert numbers == sorted(numbers)
    assert few == limited(loaded, 3, np.random.default_rng(0))
    assert limited(loaded, None, np.random.default_rng(0)) is loaded
