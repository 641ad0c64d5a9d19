"""Code-mixing: which words change, into what, how often; and what is said where a lexicon is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from probes.types import Example, Item
from training import methods
from training.lexicon import Lexicon, LexiconError, Translation, save
from training.methods import Method
from training.tables import TableError

TEXT = "The children saw my school today, not BREAD"
ALL = {"sentences": 1, "words": 1, "per_sentence": 1}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    german = {
        "school": ("Schule",),
        "bread": ("Brot",),
        "not": ("nicht",),
        "don't": ("nicht",),
        "children": ("kinder",),
    }
    chinese = {"school": ("学校",), "today": ("今天",), "children": ("孩子",), "my": ("我的",)}
    for lang, words in (("de", german), ("zh", chinese)):
        entries = {word: tuple(Translation(text, 0.5) for text in found) for word, found in words.items()}
        save(Lexicon(lang, entries), tmp_path)
    return tmp_path


def mixer(folder: Path, **options: object) -> Method:
    return methods.build("code-mix", {"lexicons": str(folder), **options})


def mixed(method: Method, text: str, seed: int = 0, lang: str = "en") -> str:
    (row,) = method.prepare([Example("1", Item(text), lang, "x")], np.random.default_rng(seed))
    return row.item.text


def test_words_become_translations_in_their_case_and_function_words_stay(folder: Path) -> None:
    german = mixer(folder, **ALL, languages=["de"])
    assert mixed(german, TEXT) == "The kinder saw my Schule today, not BROT"
    assert mixed(german, "Children don't") == "Kinder don't"


def test_words_of_a_language_without_spaces_touch_each_other_alone(folder: Path) -> None:
    chinese = mixer(folder, **ALL, languages=["zh"])
    assert mixed(chinese, "my school today") == "my 学校今天"
    assert mixed(chinese, "school, today  children") == "学校, 今天  孩子"
    german_too = {mixed(mixer(folder, **ALL | {"per_sentence": 2}), "children school", seed) for seed in range(40)}
    assert german_too == {"kinder Schule", "孩子 Schule", "kinder 学校", "孩子学校"}


def test_sentences_get_as_many_languages_as_are_asked_for(folder: Path) -> None:
    texts = {mixed(mixer(folder, **ALL), "children school", seed) for seed in range(40)}
    assert texts == {"kinder Schule", "孩子学校"}


def test_better_translations_are_likelier(tmp_path: Path) -> None:
    save(Lexicon("de", {"dog": (Translation("Hund", 0.9), Translation("Köter", 0.1))}), tmp_path)
    rows = [Example(str(number), Item("dog"), "en", "x") for number in range(1000)]
    texts = [row.item.text for row in mixer(tmp_path, **ALL).prepare(rows, np.random.default_rng(0))]
    assert 860 < texts.count("Hund") < 940
    assert texts.count("Hund") + texts.count("Köter") == 1000


def test_shares_of_sentences_and_words_are_kept_and_both_sides_drawn_apart(folder: Path) -> None:
    rows = [Example(str(number), Item("school " * 10, "school"), "en", "x") for number in range(1000)]
    method = mixer(folder, languages=["de"], words=0.3)
    assert method.fresh
    out = method.prepare(rows, np.random.default_rng(0))
    assert [(row.id, row.lang, row.label) for row in out] == [(row.id, row.lang, row.label) for row in rows]
    touched = [row.item.text.count("Schule") for row in out if "Schule" in row.item.text]
    assert 280 < len(touched) < 380
    assert 2.7 < np.mean(touched) < 3.4
    mixed_pairs = [row for row in out if row.item.pair == "Schule"]
    assert 60 < len(mixed_pairs) < 140, "0.33 x 0.3"
    assert any("Schule" not in row.item.text for row in mixed_pairs), "drawn apart"
    assert out == method.prepare(rows, np.random.default_rng(0))
    assert out != method.prepare(rows, np.random.default_rng(1))
    assert mixer(folder, sentences=0).prepare(rows, np.random.default_rng(0)) == rows


def test_only_english_is_mixed(folder: Path) -> None:
    method = mixer(folder, **ALL)
    rows = [Example("1", Item("school"), "de", "x"), Example("2", Item("bread"), "en-GB", "x")]
    assert method.prepare(rows, np.random.default_rng(0))[0] == rows[0]
    assert mixed(mixer(folder, **ALL, languages=["de"]), "bread", lang="en-GB") == "Brot"
    with pytest.raises(ValueError, match="none of the training rows is English"):
        method.prepare(rows[:1], np.random.default_rng(0))
    assert method.prepare([], np.random.default_rng(0)) == []


def test_lexicons_are_listed_and_a_missing_one_is_told_how_to_make(folder: Path, tmp_path: Path) -> None:
    assert {path.name for path in mixer(folder).files} == {"de.json.gz", "zh.json.gz"}
    assert [path.name for path in mixer(folder, languages=["zh"]).files] == ["zh.json.gz"]
    with pytest.raises(LexiconError, match=r"no lexicon for sw .* lexicon PAIRS --out .* --languages de,sw"):
        _ = mixer(folder, languages=["de", "sw"]).files
    with pytest.raises(LexiconError, match=r"no lexicon for any language .*babelproof-train lexicon PAIRS --out"):
        mixed(mixer(tmp_path / "none"), TEXT)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"words": 1.5}, "words is a share"),
        ({"sentences": -0.1}, "sentences is a share"),
        ({"per_sentence": 0}, "per_sentence must be at least 1"),
    ],
)
def test_bad_options_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(TableError, match=message):
        methods.build("code-mix", options)
