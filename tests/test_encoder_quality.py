"""How good an encoder is: topics and retrieval, by hand-made vectors."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")

from training.encoder_quality import dev_retrieval, dev_topics, hypotheses, topic_probe


def write_rows(file: Path, rows: Iterable[dict[str, str]]) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))


def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    """The place that a text ends with; French is always taken for the first."""
    places = [0 if text.startswith("fr") else int(text.split()[1]) for text in texts]
    return np.eye(4, dtype=np.float32)[np.array(places) % 4]


def test_hypotheses_are_found_in_one_english_pool(tmp_path: Path) -> None:
    rows = [
        {"id": f"{number}", "lang": lang, "text": "premise", "text_pair": f"{lang} {number}"}
        for lang in ("en", "de", "fr")
        for number in range(4)
    ]
    write_rows(tmp_path / "xnli" / "test.jsonl.gz", rows[:-1])
    scores = {one.lang: (one.accuracy, one.n) for one in hypotheses(encode, tmp_path, ["de", "fr"])}
    assert scores == {"de": (1.0, 3), "fr": (pytest.approx(1 / 3), 3)}, "the row that French lacks is left out of all"
    assert hypotheses(encode, tmp_path / "elsewhere", []) == []


def test_topics_are_learnt_in_english_alone_and_choosing_needs_no_test_row(tmp_path: Path) -> None:
    def rows(split: str) -> list[dict[str, str]]:
        lines = [(lang, number) for lang in ("en", "de", "fr") for number in range(32)]
        if split == "train":
            lines.reverse()  # the order of the rows says nothing, their ids do
        return [
            {"id": f"{number}", "lang": lang, "text": f"{lang} {number}", "label": "ab"[number % 2]}
            for lang, number in lines
        ]

    for split in ("train", "dev"):
        write_rows(tmp_path / "sib200" / f"{split}.jsonl.gz", rows(split))
    topics = {one.lang: (one.measure, one.accuracy, one.n) for one in dev_topics(encode, tmp_path, ["en", "de", "fr"])}
    assert topics == {lang: ("sib200 dev", share, 64) for lang, share in (("en", 1.0), ("de", 1.0), ("fr", 0.5))}
    found = {one.lang: (one.accuracy, one.n) for one in dev_retrieval(encode, tmp_path, ["de", "fr"])}
    assert found == {"de": (4 / 32, 32), "fr": (1 / 32, 32)}, "places repeat, and the first of equals is taken"
    write_rows(tmp_path / "sib200" / "test.jsonl.gz", rows("test")[32:])
    assert {(one.measure, one.lang, one.accuracy) for one in topic_probe(encode, tmp_path, [])} == {
        ("sib200", "de", 1.0),
        ("sib200", "fr", 0.5),
    }
