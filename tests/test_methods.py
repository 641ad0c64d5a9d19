"""Training methods: found by name, seeded, faithful where they say so."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from probes import synonyms
from probes.types import Example, Item
from training import methods
from training.tables import TableError

NEIGHBOURS = {"big": ["large", "huge"], "dog": ["hound"], "saw": ["spotted", "noticed", "viewed"]}
EXAMPLES = [
    Example("1", Item("the big dog saw Dog dog, big", "big  dog"), "en", "x"),
    Example("2", Item("nothing known here", None), "en", "y"),
]


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "neighbours.json.gz"
    path.write_bytes(gzip.compress(json.dumps(NEIGHBOURS).encode()))
    return str(path)


def test_every_method_says_what_it_does() -> None:
    assert set(methods.names()) >= {"plain", "augment"}
    assert all(len(methods.describe(name)) > 20 for name in methods.names())
    assert type(methods.build("training.methods.plain:Plain", {})).__name__ == "Plain"


def test_plain_leaves_examples_alone() -> None:
    plain = methods.build("plain", {})
    assert plain.prepare(EXAMPLES, np.random.default_rng(0)) == EXAMPLES
    assert not plain.fresh


def test_faithful_form_replaces_each_row_by_its_copies(file: str) -> None:
    method = methods.build("augment", {"form": "faithful", "copies": 40, "synonyms": file})
    rows = method.prepare(EXAMPLES, np.random.default_rng(0))
    assert [row.label for row in rows] == ["x"] * 40 + ["y"] * 40
    assert len({row.id for row in rows}) == 80
    assert {row.item for row in rows[40:]} == {EXAMPLES[1].item}, "a row without known words is copied as it is"
    first = [row.item.text.split(" ") for row in rows[:40]]
    assert {words[0] for words in first} == {"the"}
    assert {words[1] for words in first} == {"big", "large", "huge"}
    assert {words[3] for words in first} == {"saw", "spotted", "noticed", "viewed"}
    assert {words[4] for words in first} == {"Dog"}, "case-sensitive"
    assert {words[5] for words in first} == {"dog,"}, "split on single spaces alone"
    pairs = [row.item.pair or "" for row in rows[:40]]
    assert all(len(pair.split(" ")) == 3 and pair.split(" ")[1] == "" for pair in pairs), "spaces stay"
    assert {pair.split(" ")[2] for pair in pairs} == {"dog", "hound"}
    assert any(words[1] != pair.split(" ")[0] for words, pair in zip(first, pairs, strict=True)), "drawn apart"


def test_faithful_form_draws_uniformly_from_word_and_neighbours(file: str) -> None:
    method = methods.build("augment", {"form": "faithful", "copies": 4000, "synonyms": file})
    rows = method.prepare([Example("1", Item("saw"), "en", "x")], np.random.default_rng(1))
    counts = np.unique([row.item.text for row in rows], return_counts=True)[1]
    assert len(counts) == 4
    assert np.abs(counts - 1000).max() < 120


def test_fresh_form_draws_anew_at_the_price_of_plain(file: str) -> None:
    method = methods.build("augment", {"clean": 0.5, "synonyms": file})
    many = [EXAMPLES[0]] * 400
    rows = method.prepare(many, np.random.default_rng(0))
    assert method.fresh
    assert len(rows) == 400
    clean = sum(row == EXAMPLES[0] for row in rows)
    assert 170 < clean < 260
    assert rows == method.prepare(many, np.random.default_rng(0))
    assert rows != method.prepare(many, np.random.default_rng(1))
    texts = {row.item.text for row in rows}
    assert any("Hound" in text for text in texts), "capitals carried over"
    assert any("hound," in text for text in texts), "found under punctuation"
    assert all(row.item.pair is not None and "  " in row.item.pair for row in rows), "everything else stays"


def test_share_of_clean_rows_at_its_ends(file: str) -> None:
    many = [EXAMPLES[0]] * 50
    assert methods.build("augment", {"clean": 1.0, "synonyms": file}).prepare(many, np.random.default_rng(0)) == many
    drawn = methods.build("augment", {"clean": 0, "synonyms": file}).prepare(many, np.random.default_rng(0))
    assert sum(row == many[0] for row in drawn) < 5


def test_lists_that_ship_are_the_default() -> None:
    word = next(word for word, others in synonyms.of("en").items() if others)
    example = Example("1", Item(word), "en", "x")
    rows = methods.build("augment", {"clean": 0}).prepare([example] * 50, np.random.default_rng(0))
    assert {row.item.text for row in rows} == {word, *synonyms.of("en")[word]}
    unknown = Example("1", Item("zzz"), "xx", "x")
    assert methods.build("augment", {"clean": 0}).prepare([unknown], np.random.default_rng(0)) == [unknown]


def test_bad_options_are_refused() -> None:
    with pytest.raises(TableError, match="clean is a share"):
        methods.build("augment", {"clean": 2})
    with pytest.raises(TableError, match="copies must be at least 1"):
        methods.build("augment", {"copies": 0})
    with pytest.raises(TableError, match="form must be one of 'fresh', 'faithful'"):
        methods.build("augment", {"form": "exact"})
    with pytest.raises(TableError, match="no key is called 'x'"):
        methods.build("plain", {"x": 1})
