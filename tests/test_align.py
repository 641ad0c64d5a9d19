"""Aligning an encoder: text in, an encoder out that transformers loads; the parts by hand-made examples."""

from __future__ import annotations

import gzip
import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, BertTokenizerFast  # noqa: E402

from training.align.distil import Schedule, loss_of  # noqa: E402
from training.align.english import add_english  # noqa: E402
from training.align.lexical import factorise, initial_embeddings  # noqa: E402
from training.align.mixture import Cell, Mixture, shares  # noqa: E402
from training.align.pairs import LEXICON, PairsError, add_lexicon, read_pairs  # noqa: E402
from training.align.pipeline import AlignOptions, align  # noqa: E402
from training.align.tokenizer import INVISIBLE, balanced, train_tokenizer  # noqa: E402

WORDS = {
    "water": ("Wasser", "вода", "maji"),
    "house": ("Haus", "дом", "nyumba"),
    "school": ("Schule", "школа", "shule"),
    "red": ("rot", "красный", "nyekundu"),
    "big": ("groß", "большой", "kubwa"),
    "bread": ("Brot", "хлеб", "mkate"),
}
LANGUAGES = ("de", "ru", "sw")


def quiet(name: str, total: int):  # no progress shown
    return lambda done, note="": None


@pytest.fixture
def parallel(tmp_path: Path) -> Path:
    """Every ordered triple of words, in English and three languages, as one TSV."""
    rows = ["\t".join(["key", "en", *LANGUAGES])]
    for a in WORDS:
        for b in WORDS:
            for c in WORDS:
                words = [" ".join(WORDS[word][i] for word in (a, b, c)) for i in range(3)]
                rows.append("\t".join([f"{a}-{b}-{c}", f"{a} {b} {c}", *words]))
    file = tmp_path / "pairs" / "multi.tsv"
    file.parent.mkdir()
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return file


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    """A BERT of two narrow layers whose pieces are the English words."""
    folder = tmp_path / "teacher"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]) + "\n")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=5 + len(WORDS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=128,
        initializer_range=0.5,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


def options(parallel: Path, teacher: Path, **changed: object) -> AlignOptions:
    told = {"min_pairs": 10, "vocab_size": 320, "embedding_size": 16, "tokens_per_batch": 512, "teacher": str(teacher)}
    return AlignOptions(paths=[parallel], **(told | changed))


SCHEDULE = Schedule(
    steps=60,
    warmup=2,
    learning_rate=2e-3,
    embedding_learning_rate=2e-2,
    contrastive=1.0,
    negatives=32,
    checkpoint_every=10,
)


def vectors(folder: Path, texts: list[str]) -> np.ndarray:
    model, tokenizer = (
        AutoModel.from_pretrained(folder, dtype=torch.float32).eval(),
        AutoTokenizer.from_pretrained(folder),
    )
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None]
    return torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1).numpy()


def closeness(encoder: Path, teacher: Path) -> tuple[float, float]:
    """Mean cosine of sentences in three languages with their English ones at the teacher's, and with wrong ones."""
    triples = list(product(WORDS, repeat=3))
    english = vectors(teacher, [" ".join(words) for words in triples])
    centre = english.mean(axis=0)
    right, wrong = [], []
    for i in range(len(LANGUAGES)):
        own = vectors(encoder, [" ".join(WORDS[word][i] for word in words) for words in triples])
        cosine = normalised(own - centre) @ normalised(english - centre).T
        right.append(cosine.diagonal().mean())
        wrong.append(cosine[~np.eye(len(triples), dtype=bool)].mean())
    return float(np.mean(right)), float(np.mean(wrong))


def normalised(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_encoder_comes_closer_to_translations_alone(parallel: Path, teacher: Path, tmp_path: Path) -> None:
    trained, untrained = tmp_path / "encoder", tmp_path / "untrained"
    still = Schedule(steps=1, learning_rate=0.0, embedding_learning_rate=0.0)
    assert align(options(parallel, teacher), SCHEDULE, trained, quiet) == ["en", "de", "ru", "sw"]
    align(options(parallel, teacher), still, untrained, quiet)
    assert json.loads((trained / "languages.json").read_text()) == ["en", "de", "ru", "sw"]
    assert "| pairs | 648 | 216 | not stated |" in (trained / "README.md").read_text()
    (right, wrong), (before, _) = closeness(trained, teacher), closeness(untrained, teacher)
    assert right > before + 0.1
    assert right > wrong + 0.1


def test_a_stopped_run_ends_where_an_unbroken_one_does(parallel: Path, teacher: Path, tmp_path: Path) -> None:
    unbroken, stopped = tmp_path / "unbroken", tmp_path / "stopped"
    align(options(parallel, teacher), SCHEDULE, unbroken, quiet)

    def stop_in_distillation(name: str, total: int):
        def progress(done: int, note: str = "") -> None:
            if name == "distillation" and done == 25:
                raise KeyboardInterrupt

        return progress

    with pytest.raises(KeyboardInterrupt):
        align(options(parallel, teacher), SCHEDULE, stopped, stop_in_distillation)
    assert not (stopped / "model.safetensors").exists()
    align(options(parallel, teacher), SCHEDULE, stopped, quiet)
    texts = ["Wasser Brot", "дом", "kubwa shule"]
    np.testing.assert_allclose(vectors(stopped, texts), vectors(unbroken, texts), atol=2e-3)


def test_an_encoder_can_be_gone_on_from(parallel: Path, teacher: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    align(options(parallel, teacher), SCHEDULE, first, quiet)
    align(
        options(parallel, teacher, start=first, seed=1),
        Schedule(steps=1, warmup=1, learning_rate=0.0, embedding_learning_rate=0.0),
        second,
        quiet,
    )
    texts = ["Wasser Brot", "дом", "kubwa shule"]
    np.testing.assert_allclose(vectors(second, texts), vectors(first, texts), atol=1e-3)
    with pytest.raises(PairsError, match="no encoder to start from"):
        align(options(parallel, teacher, start=tmp_path / "nowhere"), SCHEDULE, tmp_path / "third", quiet)


def test_another_run_in_the_same_folder_is_refused(parallel: Path, teacher: Path, tmp_path: Path) -> None:
    out = tmp_path / "encoder"
    align(options(parallel, teacher), Schedule(steps=1), out, quiet)
    with pytest.raises(PairsError, match="another seed"):
        align(options(parallel, teacher, seed=1), Schedule(steps=1), out, quiet)


def test_lexical_initialisation_takes_the_partner() -> None:
    teacher = np.eye(4, dtype=np.float32)
    own = [[0, 1], [1, 2], [0, 2], [0], [1], [2]]
    english = [[3, 1], [1, 2], [3, 2], [3], [1], [2]]
    words, seen = initial_embeddings([(own, english)], 4, teacher)
    assert words[:3].argmax(axis=1).tolist() == [3, 1, 2]
    assert seen.tolist() == [3, 3, 3, 0]
    np.testing.assert_allclose(words.sum(axis=1), 1, atol=1e-6)


def test_factors_of_full_rank_lose_nothing() -> None:
    embeddings = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    narrow, projection = factorise(embeddings, np.ones(50), 6)
    np.testing.assert_allclose(narrow @ projection, embeddings, atol=1e-4)


def cells() -> list[Cell]:
    rng = np.random.default_rng(0)
    return [
        Cell(lang, "s", [np.full(rng.integers(2, 9), lang_id, np.int32) for _ in range(size)], np.arange(size))
        for lang_id, (lang, size) in enumerate([("en", 100), ("de", 400), ("sw", 25)])
    ]


def test_shares_flatten_sizes() -> None:
    share = shares(cells(), "en", 0.1, exponent=0.5)
    assert share.sum() == pytest.approx(1)
    assert share[0] == pytest.approx(0.1)
    assert share[1] / share[2] == pytest.approx(4)


def test_a_mixture_is_the_same_from_any_start_and_sees_every_text() -> None:
    own = cells()
    mixture = Mixture(own, shares(own, "en", 0.1), tokens_per_batch=64, seed=5, chunk_size=200)
    first = [ids for _, (ids, _) in zip(range(60), mixture.batches(0, pad=9), strict=False)]
    later = [ids for _, (ids, _) in zip(range(20), mixture.batches(40, pad=9), strict=False)]
    for a, b in zip(first[40:], later, strict=True):
        np.testing.assert_array_equal(a, b)
    assert max(ids.size for ids in first) <= 64
    seen = {text for chunk in range(4) for batch in mixture.chunk(chunk) for cell, text in batch if cell == 2}
    assert seen == set(range(25))


def test_pairs_are_read_from_both_forms(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.jsonl.gz", "wt", encoding="utf-8") as stream:
        for row in (
            {"lang": "de", "text": "Guten  Tag", "en": "Good day"},
            {"id": "1", "lang": "en", "text": "One", "text_pair": "Two"},
            {"id": "1", "lang": "sw", "text": "Moja", "text_pair": "Mbili"},
            {"id": "2", "lang": "sw", "text": "alone"},
        ):
            stream.write(json.dumps(row) + "\n")
    (tmp_path / "b.tsv").write_text("en\tde\nSame\tSame\nHello\tHallo\nEmpty\t\n", encoding="utf-8")
    pairs = read_pairs([tmp_path])
    assert pairs.counts() == {"de": 2, "sw": 2}
    assert sorted(pairs.texts("de")) == ["Guten Tag", "Hallo"]
    assert {(text, pairs.english[i]) for rows in pairs.rows["sw"].values() for text, i in rows} == {
        ("Moja", "One"),
        ("Mbili", "Two"),
    }


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.tsv", "de\tfr\na\tb\n", "one of them 'en'"),
        ("x.jsonl", '{"lang": "de"}\n', "x.jsonl:1"),
        ("x.jsonl", '{"lang": "de", "text": "a"}\n', "neither 'en' nor 'id'"),
        ("x.txt", "a\n", "no .tsv or .jsonl"),
    ],
)
def test_bad_text_is_refused_by_name(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(PairsError, match=message):
        read_pairs([tmp_path])


def test_english_text_without_translations_is_a_source_of_its_own(parallel: Path, tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("bread : a food\n\nwater water water\n" + "long " * 100 + "\n")
    rows = [{"lang": "en", "text": "red", "text_pair": "big"}, {"lang": "de", "text": "rot"}]
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    synset = (
        '02084071 05 n 02 dog 0 domestic_dog(p) 0 001 @ 02083346 n 0000 | kept by man; "the dog barked all night"  '
    )
    (tmp_path / "data.noun").write_text(f"  1 This software\n{synset}\n")
    pairs = read_pairs([parallel])
    for name in ("more.txt", "set/train.jsonl", "data.noun"):
        add_english(pairs, tmp_path / name)
    texts = {source: [pairs.english[i] for i in own] for source, own in pairs.sources.items()}
    assert texts["more"] == ["bread : a food"], "what the pairs have is theirs"
    assert texts["set"] == ["red", "big"]
    gloss = 'dog, domestic dog: kept by man; "the dog barked all night"'
    assert texts["wordnet_glosses"] == [gloss, "the dog barked all night"]
    assert sorted(i for own in pairs.sources.values() for i in own) == list(range(len(pairs.english)))
    (tmp_path / "bad.jsonl").write_text("{}\n")
    with pytest.raises(PairsError, match=r"bad\.jsonl:1: a row needs lang and text"):
        add_english(pairs, tmp_path / "bad.jsonl")
    with pytest.raises(PairsError, match=r"none\.txt: no such file of English text"):
        add_english(pairs, tmp_path / "none.txt")


def test_a_lexicon_joins_on_keys(tmp_path: Path) -> None:
    (tmp_path / "p.tsv").write_text("en\tde\nHello\tHallo\n", encoding="utf-8")
    pairs = read_pairs([tmp_path / "p.tsv"])
    (tmp_path / "en.tsv").write_text("synset\tpos\tlemmas\n1-n\tn\twater|liquid\n", encoding="utf-8")
    (tmp_path / "de.tsv").write_text(
        "synset\tlemmas_omw\tlemmas_wiktionary\n1-n\tWasser\tNass|Flut\n2-n\tnichts\t\n", encoding="utf-8"
    )
    add_lexicon(pairs, tmp_path)
    assert [(text, pairs.english[i]) for text, i in pairs.rows["de"][LEXICON]] == [
        ("Wasser", "water"),
        ("Nass", "water"),
    ]


def test_the_tokenizer_drops_what_cannot_be_seen_and_keeps_joiners() -> None:
    tokenizer = train_tokenizer(["abc def " * 3, "ghi jkl می‌خواهم"] * 20, 60)
    plain = tokenizer.encode("abc def").ids
    assert tokenizer.encode("a\u200bbc\u00ad d\u2060ef\ufeff").ids == plain
    assert tokenizer.encode("ABC  def").ids == plain
    assert "\u200c" not in INVISIBLE
    assert tokenizer.token_to_id("<s>") == 0
    assert tokenizer.token_to_id("<mask>") == tokenizer.get_vocab_size() - 1


def test_balanced_takes_no_more_than_asked() -> None:
    chosen = balanced({"de": [f"d{i}" for i in range(50)], "sw": ["s0", "s1"]}, 10, seed=0)
    assert len(chosen) == 12
    assert len(set(chosen)) == 12


def test_negatives_cost_and_what_is_nearly_the_same_is_none() -> None:
    own = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0, 0.1], [0.0, 1.0, 0.0]]), dim=-1)
    far, near = torch.tensor([[0.8, 0.6, 0.0]]), torch.tensor([[1.0, 0.0, 0.0]])
    alone, none = loss_of(own, own, own[:0], 1.0), loss_of(own, own, own[:0], 0.0)
    assert none == 0, "nothing is left of the distance"
    assert loss_of(own, own, far, 1.0) > alone
    assert loss_of(own, own, near, 1.0) == pytest.approx(float(alone)), "cosine over 0.9 to the first: no negative"
