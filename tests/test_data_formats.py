"""Formats of data files: the same rows in each of them, and what is said of a file that is broken."""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.data import DataError, Source, load
from training.data.files import ENDINGS

COLUMNS = ("id", "lang", "text", "text_pair", "label")
# without its time of day, which would be part of a test's name
CUT = gzip.compress(b'{"text": "a", "label": "x"}\n' * 99, mtime=0)[:-9]
PACK = {".gz": gzip.compress, ".xz": lzma.compress}
# a TSV cell can hold neither tabs nor line ends; other cells are never blank, which is what no pair looks like
CELLS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(str.strip)
LINES = st.builds("{}\n{}\t\"'{}".format, CELLS, CELLS, CELLS)


def written(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    kind = path.name.split(".")[1]
    if kind == "parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path)
        return path
    buffer = io.StringIO(newline="")
    if kind == "jsonl":
        buffer.writelines(json.dumps(row) + "\n" for row in rows)
    elif kind == "tsv":
        buffer.writelines("\t".join(cells) + "\n" for cells in (COLUMNS, *(row.values() for row in rows)))
    else:
        writer = csv.DictWriter(buffer, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    content = buffer.getvalue().encode()
    path.write_bytes(PACK[path.suffix](content) if path.suffix in PACK else content)
    return path


@pytest.mark.parametrize("ending", ENDINGS)
@given(data=st.data())
@settings(deadline=None, max_examples=10)
def test_rows_come_back_from_every_format(ending: str, data: Any) -> None:
    cells = CELLS if ".tsv" in ending else CELLS | LINES
    pairs = data.draw(st.lists(st.tuples(cells, cells), min_size=1, max_size=4))
    rows = [
        {"id": str(n), "lang": "de", "text": text, "text_pair": pair, "label": "x"}
        for n, (text, pair) in enumerate(pairs)
    ]
    with tempfile.TemporaryDirectory() as folder:
        written(Path(folder) / f"mine{ending}", rows)
        loaded = load([Source(f"file:mine{ending}")], Path(folder))
    assert [(row.item.text, row.item.pair) for row in loaded.examples] == pairs
    assert [row.id for row in loaded.examples] == [row["id"] for row in rows]
    assert {row.lang for row in loaded.examples} == {"de"}


def one(folder: Path, name: str, content: bytes, **keys: Any) -> Any:
    (folder / name).write_bytes(content)
    return load([Source(f"file:{name}", **keys)], folder).examples


def test_a_spreadsheet_has_empty_cells_and_a_byte_order_mark(tmp_path: Path) -> None:
    content = "text,text_pair,lang,label\r\na,,,x\r\nb,,de,y\r\n".encode("utf-8-sig")
    rows = one(tmp_path, "mine.csv", content)
    assert [(row.id, row.item.text, row.item.pair, row.lang, row.label) for row in rows] == [
        ("2", "a", None, "en", "x"),
        ("3", "b", None, "de", "y"),
    ]


def test_quotes_mean_nothing_in_tsv(tmp_path: Path) -> None:
    rows = one(tmp_path, "mine.tsv", b'text\tlabel\n"a\tx\nb "c"\ty\n')
    assert [row.item.text for row in rows] == ['"a', 'b "c"']


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "text,label\nGrüße,x\n".encode("latin-1"), r"a\.csv is not UTF-8 text .*; save it as UTF-8"),
        ("a.csv", b"text,label\na\n", r"a\.csv, line 2: 1 cells under 2 columns"),
        ("a.csv", b'text,label\n"a,x\n', r"a\.csv, line 2: unexpected end of data"),
        ("a.csv", b"text,text\na,b\n", r"two columns have one name: text, text"),
        ("a.tsv", b"text\tgold\na\tx\n", r"there is no column 'label'; the columns are text, gold"),
        ("a.tsv", b"text\tlabel\na\t\n", r"1 of 1 rows have no label"),
        ("a.jsonl.gz", CUT, r"a\.jsonl\.gz is cut short or not"),
        ("a.csv.xz", lzma.compress(b"text,label\na,x\n")[:-9], r"a\.csv\.xz is cut short or not a \.xz file"),
        ("a.tsv.gz", b"text\tlabel\na\tx\n", r"a\.tsv\.gz is cut short or not a \.gz file"),
        ("a.parquet", b"PAR1 and then the power went", r"a\.parquet is cut short or not a Parquet file"),
    ],
)
def test_broken_files_are_told_from_good_ones(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        one(tmp_path, name, content)


def test_half_a_parquet_file(tmp_path: Path) -> None:
    whole = written(tmp_path / "whole.parquet", [{"text": "a" * 99, "label": "x"}]).read_bytes()
    with pytest.raises(DataError, match=r"half\.parquet is cut short or not a Parquet file"):
        one(tmp_path, "half.parquet", whole[: len(whole) // 2])


def test_parquet_keeps_class_names_and_whole_numbers_with_gaps(tmp_path: Path) -> None:
    table = pyarrow.table({"text": ["a", "b"], "label": [1, 0], "vector": [[0.0], [1.0]]})
    said = {"info": {"features": {"label": {"names": ["no", "yes"], "_type": "ClassLabel"}}}}
    named = table.replace_schema_metadata({"huggingface": json.dumps(said)})
    pyarrow.parquet.write_table(named, tmp_path / "named.parquet")
    rows = load([Source("file:named.parquet")], tmp_path).examples
    assert [row.label for row in rows] == ["yes", "no"]
    gaps = pyarrow.table({"text": ["a", "b"], "label": [1.0, None]})
    pyarrow.parquet.write_table(gaps, tmp_path / "gaps.parquet")
    rows = load([Source("file:gaps.parquet", labels={"1": "yes"}, absent=("",))], tmp_path).examples
    assert [row.label for row in rows] == ["yes"]
    with pytest.raises(DataError, match=r"no column 'gold'; the columns are text, label, vector"):
        load([Source("file:named.parquet", label="gold")], tmp_path)
