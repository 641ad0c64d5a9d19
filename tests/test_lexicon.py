"""Lexicons: aligned words by hand-made sentences, files, measured precision, the command."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from probes import synonyms
from training import lexicon_command
from training.align.pairs import ParallelText
from training.lexicon import Lexicon, LexiconError, Translation, load, save
from training.lexicon_build import build
from training.lexicon_quality import english_wordnet, precision, wordnet
from training.word_alignment import TICKS, align

WORDS = {"water": "Wasser", "house": "Haus", "school": "Schule", "red": "rot", "big": "groß", "bread": "Brot"}
CHINESE = {"water": "水", "house": "房子", "school": "学校", "red": "红色", "big": "大", "bread": "面包"}


def sentences(lang: str, words: dict[str, str], between: str) -> ParallelText:
    """Every ordered triple of words and its translation, the other way round."""
    pairs = ParallelText()
    for triple in permutations(words, 3):
        pairs.add(lang, between.join(words[word] for word in reversed(triple)), " ".join(triple), "test")
    return pairs


@pytest.fixture
def german(tmp_path: Path) -> Path:
    file = tmp_path / "pairs" / "en-de.tsv"
    file.parent.mkdir()
    rows = [f"{' '.join(triple)}\t{' '.join(map(WORDS.__getitem__, triple))}" for triple in permutations(WORDS, 3)]
    file.write_text("\n".join(["en\tde", *rows]), encoding="utf-8")
    return file


def test_words_are_linked_with_what_they_keep_meeting() -> None:
    english = [[0, 1], [1, 2], [2, 0], [0, 3], [3, 1], [4, 0]]
    own = [[1, 0], [2, 1], [0, 2], [3, 0], [1, 3], [5, 4, 0]]
    ticks: list[None] = []
    links = align(english, own, lambda: ticks.append(None))
    assert len(ticks) == TICKS
    assert links.partner[:10].tolist() == [1, 0, 1, 0, 1, 0, 1, 0, 1, 0], "places in the English sentence"
    assert links.mutual[:10].all()
    assert links.partner[12] == 1, "the word known from elsewhere"
    assert links.mutual[10:].sum() == 2, "one of the two new words is left over"


def test_of_two_equal_words_the_nearer_one_is_meant() -> None:
    links = align([[0, 1, 0], [0, 1], [1, 0]], [[0, 1, 0], [0, 1], [1, 0]], lambda: None)
    assert links.partner[:3].tolist() == [0, 1, 2]


def test_a_word_that_nothing_explains_has_no_partner() -> None:
    english = [[0], [1], [2], [3]] * 3
    own = [[0, 4], [1, 4], [2, 4], [3, 4]] * 3
    links = align(english, own, lambda: None)
    assert links.mutual.tolist() == [True, False] * 12


def test_translations_are_ranked_and_spelt_as_inside_sentences() -> None:
    lexicon = build(sentences("de", WORDS, " "), "de")
    assert {word: found[0].text for word, found in lexicon.words.items()} == WORDS
    assert all(found[0].score > 0.9 for found in lexicon.words.values())
    assert lexicon.provenance["pairs"] == {"test": 120}
    assert lexicon.provenance["pairs_aligned"] == 120


def test_translations_without_spaces_are_runs_of_characters() -> None:
    lexicon = build(sentences("zh", CHINESE, ""), "zh")
    assert {word: found[0].text for word, found in lexicon.words.items()} == CHINESE


def test_syllables_of_vietnamese_make_words_and_other_spaces_separate() -> None:
    words = {"school": "trường học", "water": "nước", "house": "ngôi nhà", "red": "đỏ"}
    found = build(sentences("vi", words, " "), "vi").words
    assert {word: translations[0].text for word, translations in found.items()} == words
    assert not any(" " in one.text for some in build(sentences("de", words, " "), "de").words.values() for one in some)


def test_rare_links_figures_and_copies_are_left_out() -> None:
    pairs = sentences("de", WORDS | {"tom": "Tom", "7": "7"}, " ")
    assert build(pairs, "de").words.keys() == WORDS.keys()
    assert build(sentences("de", WORDS, " "), "de", min_count=61).words == {}
    assert build(ParallelText(), "de").words == {}


def test_files_are_equal_for_equal_lexicons_and_come_back(tmp_path: Path) -> None:
    lexicon = Lexicon("el", {"water": (Translation("νερό", 0.9), Translation("ύδωρ", 0.2))}, {"pairs": {"a": 3}})
    path = save(lexicon, tmp_path / "new")
    before = path.read_bytes()
    assert save(lexicon, tmp_path / "new").read_bytes() == before
    assert load(path) == lexicon
    assert synonyms.by_language(tmp_path / "new") == {"el": path}


@pytest.mark.parametrize("content", ["{", "[]", '{"words": {"a": "b"}, "provenance": {}}', '{"words": {}}'])
def test_a_file_that_is_no_lexicon_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "el.json").write_text(content)
    with pytest.raises(LexiconError, match=r"el\.json is no lexicon .*babelproof-train lexicon"):
        load(tmp_path / "el.json")


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    folder = tmp_path / "wordnet"
    folder.mkdir()
    (folder / "en.tsv").write_text("synset\tpos\tlemmas\thypernyms\n1\tn\twater|H2O\t9\n2\tn\thouse\t\n3\tn\tcat\t\n")
    (folder / "de.tsv").write_text("synset\tlemmas_omw\tlemmas_wiktionary\n1\tNass\tWasser\n2\t\tGebäude\n4\tHund\n")
    return folder


def test_precision_counts_words_that_both_wordnets_know(gold: Path) -> None:
    lexicon = build(sentences("de", WORDS, " "), "de")
    found = precision(lexicon, english_wordnet(gold), wordnet(gold, "de"))
    assert found is not None
    assert (found.value, found.n) == (0.5, 2), "Wasser is right, Haus is no lemma of its synset, four have no gold"
    assert found.low == pytest.approx(0.0945, abs=1e-3)
    assert precision(lexicon, english_wordnet(gold), wordnet(gold, "xx")) is None
    with pytest.raises(LexiconError, match="no English wordnet"):
        english_wordnet(gold.parent)
    (gold / "fr.tsv").write_text("1\teau\n")
    with pytest.raises(LexiconError, match="must name a column 'lemmas'"):
        wordnet(gold, "fr")


def command(*arguments: object):
    app = typer.Typer()
    app.command("lexicon", epilog=lexicon_command.EXAMPLES)(lexicon_command.lexicon_command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_writes_measures_and_says_where_from(german: Path, gold: Path, tmp_path: Path) -> None:
    out = tmp_path / "lexicons"
    done = command(german, "--out", out, "--gold", gold, "--json")
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.stdout)
    assert (row["lang"], row["pairs"], row["words"], row["precision"]["n"]) == ("de", 120, 6, 2)
    made = load(out / "de.json.gz")
    assert made.words["school"][0].text == "Schule"
    assert made.provenance["precision_at_1"]["value"] == 0.5
    assert made.provenance["command"] == "babelproof-train lexicon en-de.tsv --out lexicons --min-count 2"
    assert [file.name for file in out.iterdir()] == ["de.json.gz"]
    shown = command(german, "--out", out)
    assert "not measured" in shown.stdout
    assert load(out / "de.json.gz").provenance["precision_at_1"] == "not measured"


def test_the_command_says_what_is_wrong(german: Path, tmp_path: Path) -> None:
    out = tmp_path / "lexicons"
    for arguments, message in (
        ((german, "--languages", "sw"), "no parallel text for sw; it is there for: de."),
        ((tmp_path / "no.tsv",), "no such file or folder"),
        ((german, "--gold", tmp_path), "no English wordnet"),
    ):
        done = command(*arguments, "--out", out)
        assert done.exit_code == 1
        assert message in done.stderr
    none = command(german, "--out", out, "--min-count", 200)
    assert none.exit_code == 0
    assert "de: no word was linked 200 times" in none.stderr
    assert not out.exists()


def test_alignment_does_not_depend_on_chance() -> None:
    rng = np.random.default_rng(5)
    english = [rng.integers(0, 9, 4).tolist() for _ in range(30)]
    own = [rng.integers(0, 9, 5).tolist() for _ in range(30)]
    first, second = align(english, own, lambda: None), align(english, own, lambda: None)
    assert first.partner.tolist() == second.partner.tolist()
    assert all(-1 <= place < 4 for place in first.partner)
    assert (first.partner[first.mutual] >= 0).all()
