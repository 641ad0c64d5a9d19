"""Examples from files, and what is said about lines that are none."""

from __future__ import annotations

import gzip
import json

import pytest

from probes.data import DataError, check, checked, read_examples, stream_examples
from probes.types import Example, Item

ROWS = [
    {"id": "a", "lang": "en", "text": "One,\ttwo", "label": "x"},
    {"id": "b", "lang": "de", "text": "Zwei", "text_pair": "Drei"},
    {"id": "c", "lang": "en", "text": "Three\u2028four", "label": "y"},
]
EXPECTED = [
    Example("a", Item("One,\ttwo"), "en", "x"),
    Example("b", Item("Zwei", "Drei"), "de"),
    Example("c", Item("Three\u2028four"), "en", "y"),
]


def lines(*rows: object) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def test_json_lines(tmp_path):
    file = tmp_path / "data.jsonl"
    file.write_text(lines(*ROWS) + "\n", encoding="utf-8")
    assert read_examples(file) == EXPECTED
    packed = tmp_path / "data.jsonl.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert read_examples(packed) == EXPECTED


def test_tab_separated(tmp_path):
    file = tmp_path / "data.tsv"
    file.write_text('lang\ttext\tlabel\ttext_pair\nen\tsay "no\tx\nde\tZwei\t\tDrei\n', encoding="utf-8")
    assert read_examples(file) == [
        Example("2", Item('say "no'), "en", "x"),
        Example("3", Item("Zwei", "Drei"), "de"),
    ]


def test_the_limit_is_per_language(tmp_path):
    file = tmp_path / "data.jsonl"
    file.write_text(lines(*ROWS), encoding="utf-8")
    assert [example.id for example in read_examples(file, 1)] == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lines(ROWS[0]) + "{nope", "line 2: not JSON"),
        (lines([1]), "line 1: an object was expected, not list"),
        (lines(ROWS[0], {"lang": "en"}), "line 2: text is missing or empty"),
        (lines({"text": "x"}), "line 1: lang is missing"),
        (lines({"text": "x", "lang": "en", "lable": "y"}), "line 1: no column is called 'lable'; did you mean 'label'"),
        (lines({"text": 7, "lang": "en"}), "line 1: text must be a text, not 7"),
        (lines({"text": "x", "lang": "en", "label": 3}), "line 1: label must be a text, not 3"),
        ('{"text": "\\ud800", "lang": "en"}\n', "line 1: text holds half a character"),
        (lines(ROWS[0], ROWS[1], ROWS[0]), "line 3: the en id 'a' is that of line 1"),
        ("", "no examples"),
    ],
)
def test_a_bad_line_is_named(tmp_path, content, said):
    file = tmp_path / "data.jsonl"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        read_examples(file)


def test_a_bad_file_is_named(tmp_path):
    for name, content, said in (
        ("x.txt", b"a", "ends in .jsonl, .tsv or .csv"),
        ("x.jsonl", b'{"text": "\xff"}', "not UTF-8"),
        ("x.jsonl.gz", b"not packed", "cannot be read"),
        ("x.tsv", b"lang\ttext\nen\ta\tb\n", "line 2: 3 cells, but the header names 2"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=said):
            read_examples(tmp_path / name)
    with pytest.raises(DataError, match="there is no data file"):
        read_examples(tmp_path / "none.jsonl")


def test_examples_are_checked_against_the_model():
    assert list(checked(EXPECTED, ("x", "y"))) == EXPECTED
    with pytest.raises(DataError, match=r"example 'c': .*'y'"):
        list(checked(EXPECTED, ("x", "z")))
    check(EXPECTED, ("x", "y"))
    with pytest.raises(DataError, match="two en examples have the id 'a'"):
        check([EXPECTED[0], EXPECTED[0]], ("x",))


def test_a_table_of_a_spreadsheet(tmp_path):
    file = tmp_path / "data.csv"
    file.write_text('\ufeffid,text,lang,label\na,"One, ""two""\nthree",en,x\nb,Zwei,de,\n', encoding="utf-8")
    assert read_examples(file) == [Example("a", Item('One, "two"\nthree'), "en", "x"), Example("b", Item("Zwei"), "de")]
    file.write_text('text,lang\n"open,en\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"data\.csv, line 2: unexpected end of data"):
        read_examples(file)


def test_a_stream_reads_no_further_than_is_wanted(tmp_path):
    file = tmp_path / "data.jsonl"
    file.write_text(lines(*ROWS) + "no JSON\n", encoding="utf-8")
    stream = stream_examples(file)
    assert [next(stream) for _ in ROWS] == EXPECTED
    with pytest.raises(DataError, match="line 4"):
        next(stream)
    file.write_text(lines(*ROWS), encoding="utf-8")
    assert [example.id for example in stream_examples(file, 1)] == ["a", "b"]


def test_translations_share_an_id_and_other_columns_are_passed_over(tmp_path):
    file = tmp_path / "data.jsonl"
    rows = [{"id": "7", "lang": lang, "text": lang, "label": "x", "src_lang": "z"} for lang in ("de", "sw")]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    examples = read_examples(file)
    assert [(example.id, example.lang) for example in examples] == [("7", "de"), ("7", "sw")]
    assert list(checked(examples, ("x",))) == examples


def test_zero_is_an_id_and_half_a_character_none(tmp_path):
    file = tmp_path / "data.jsonl"
    file.write_text(lines({"id": 0, "text": "a", "lang": "en"}, {"id": "", "text": "b", "lang": "en"}), "utf-8")
    assert [example.id for example in read_examples(file)] == ["0", "2"]
    file.write_text('{"id": "\\ud800", "text": "a", "lang": "en"}', "utf-8")
    with pytest.raises(DataError, match="line 1: id holds half a character"):
        read_examples(file)
