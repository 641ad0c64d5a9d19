"""The served model: order, packing, truncation, pairs, threads, providers, and what it answers to odd input."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

import runtime
from probes.types import Item
from runtime import manifest as folders
from runtime.classifier import OnnxClassifier, pack, softmax
from runtime.session import RuntimeMissingError, open_session, wheel_fault
from runtime.tokenization import Tokenization, TooLongError
from tests.fakes_model import KEYWORDS, WEIGHT, build_model_folder

WORDS = [word for words in KEYWORDS.values() for word in words] + ["the", "and", "日本", "🙂"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model_folder(tmp_path_factory.mktemp("model") / "keywords")


@pytest.fixture(scope="module")
def classifier(folder: Path) -> Iterator[OnnxClassifier]:
    opened = runtime.load(folder, threads=1)
    yield opened
    opened.close()


def _items(count: int) -> list[Item]:
    rng = random.Random(1)

    def text() -> str:
        return " ".join(rng.choices(WORDS, k=rng.randrange(12)))

    return [Item(text(), text() if rng.random() < 0.5 else None) for _ in range(count)]


def _counts(item: Item) -> list[int]:
    words = f"{item.text} {item.pair or ''}".split()
    return [sum(word in keywords for word in words) for keywords in KEYWORDS.values()]


def test_answers_worked_out_by_hand_in_the_order_asked(classifier: OnnxClassifier) -> None:
    items = _items(300)
    prediction = classifier.predict(items)
    expected = WEIGHT * np.array([_counts(item) for item in items], dtype=np.float32)
    np.testing.assert_allclose(prediction.logits, expected)
    np.testing.assert_allclose(prediction.probabilities, softmax(expected), rtol=1e-6)
    np.testing.assert_allclose(prediction.probabilities.sum(axis=1), 1, rtol=1e-6)
    assert not prediction.truncated.any()
    assert classifier(items).dtype == np.float32


def test_packed_answers_are_those_one_by_one(classifier: OnnxClassifier) -> None:
    items = _items(60)
    together = classifier(items)
    np.testing.assert_array_equal(together, np.concatenate([classifier([item]) for item in items]))


def test_no_items_and_empty_texts(classifier: OnnxClassifier) -> None:
    assert classifier([]).shape == (0, 3)
    assert classifier.predict([]).truncated.shape == (0,)
    np.testing.assert_allclose(classifier([Item(""), Item("", ""), Item("  \n")]), 1 / 3)


def test_lone_surrogates_count_as_replacement_characters(classifier: OnnxClassifier) -> None:
    broken, replaced = classifier([Item("doctor \ud83d vote"), Item("doctor \ufffd vote")])
    np.testing.assert_array_equal(broken, replaced)


def test_truncation_cuts_the_longer_text_and_is_told(classifier: OnnxClassifier) -> None:
    fits, cut = Item("vote " * 30), Item("vote " * 31)
    pair = Item("team", "vote " * 40)
    prediction = classifier.predict([fits, cut, pair, Item("vote")])
    assert prediction.truncated.tolist() == [False, True, True, False]
    np.testing.assert_array_equal(prediction.logits[:, 1], [60, 60, 56, 2])  # 32 - 2 or 3 special - 1 of the short text
    assert prediction.logits[2, 0] == 2


def test_too_long_is_refused_when_cutting_is(classifier: OnnxClassifier) -> None:
    with pytest.raises(TooLongError, match="input 1 has 42 tokens, the model takes 32") as caught:
        classifier.predict([Item("vote"), Item("vote " * 40)], truncate=False)
    assert (caught.value.index, caught.value.tokens, caught.value.max_length) == (1, 42, 32)
    assert classifier.predict([Item("vote " * 30)], truncate=False).logits[0, 1] == 60


def test_truncation_is_that_of_the_library(folder: Path, tmp_path: Path) -> None:
    """The library's own longest_first is the judge, for every pair of lengths, templates of two kinds."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    roberta = Tokenizer(models.WordLevel({"<s>": 0, "</s>": 1, "<unk>": 2, "a": 3, "b": 4}, unk_token="<unk>"))
    roberta.pre_tokenizer = pre_tokenizers.Whitespace()
    roberta.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0))
    for number, judge in enumerate((tokenizer, roberta)):
        judge.save(str(tmp_path / f"{number}.json"))
        for length in (11, 12):
            ours = Tokenization(tmp_path / f"{number}.json", length)
            judge.enable_truncation(length, strategy="longest_first")
            for first in range(14):
                for second in (None, *range(14)):
                    item = Item("a b " * first, None if second is None else "b c " * second)
                    (row,) = ours([item])
                    expected = judge.encode(item.text) if item.pair is None else judge.encode(item.text, item.pair)
                    assert (row.ids, row.types) == (expected.ids, expected.type_ids), (number, length, first, second)
                    assert row.truncated == bool(expected.overflowing)


def test_two_very_long_texts_take_no_more_than_their_length(classifier: OnnxClassifier) -> None:
    assert classifier.predict([Item("vote " * 100_000, "team " * 100_000)]).truncated.all()


def test_padding_left_in_the_file_does_nothing(folder: Path, tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_padding(length=20)
    tokenizer.enable_truncation(5)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    (row,) = Tokenization(tmp_path / "tokenizer.json", 32)([Item("vote " * 8)])
    assert len(row.ids) == 10


def test_pack_keeps_to_the_budget_and_loses_nothing() -> None:
    lengths = [random.Random(3).randrange(1, 200) for _ in range(500)] + [900]
    batches = pack(lengths, 800)
    assert sorted(index for batch in batches for index in batch) == list(range(501))
    assert all(len(batch) * max(lengths[i] for i in batch) <= 800 for batch in batches if len(batch) > 1)
    assert len(batches) < 1.3 * sum(lengths) / 800
    assert pack([], 800) == []


def test_many_threads_answer_as_one(classifier: OnnxClassifier) -> None:
    chunks = [_items(80)[start : start + 8] for start in range(0, 80, 8)] * 4
    expected = [classifier(chunk) for chunk in chunks]
    with ThreadPoolExecutor(8) as pool:
        for got, wanted in zip(pool.map(classifier, chunks), expected, strict=True):
            np.testing.assert_array_equal(got, wanted)


def test_what_it_says_of_itself(classifier: OnnxClassifier, folder: Path) -> None:
    assert classifier.labels == tuple(KEYWORDS)
    assert classifier.languages == ("de", "en", "ru", "zh")
    assert classifier.manifest == folders.read(folder)
    assert classifier.providers[-1] == "CPUExecutionProvider"


def test_closed_means_closed(folder: Path) -> None:
    opened = runtime.load(folder)
    opened.close()
    with pytest.raises(RuntimeError, match="closed"):
        opened([Item("vote")])


def test_a_provider_that_is_not_there_is_an_error(folder: Path) -> None:
    with pytest.raises(RuntimeMissingError, match="NoSuchExecutionProvider"):
        open_session(folder / "model.onnx", ["NoSuchExecutionProvider"])
    assert wheel_fault() is None


def test_a_changed_folder_is_not_opened(tmp_path: Path) -> None:
    folder = build_model_folder(tmp_path)
    (folder / "model.onnx").write_bytes((folder / "model.onnx").read_bytes() + b"\0")
    with pytest.raises(runtime.ModelFolderError, match=r"model\.onnx: \d+ bytes"):
        runtime.load(folder)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_rubbish_with_a_right_digest_is_refused_by_name(tmp_path: Path, name: str) -> None:
    folder = build_model_folder(tmp_path)
    (folder / name).write_bytes(b"rubbish")
    folders.write(folder, folders.read(folder))
    with pytest.raises(runtime.ModelFolderError, match=name):
        runtime.load(folder)


def test_labels_that_do_not_fit_the_graph_are_told(tmp_path: Path) -> None:
    folder = build_model_folder(tmp_path)
    folders.write(folder, replace(folders.read(folder), labels=("a", "b")))
    with pytest.raises(runtime.ModelFolderError, match="names 2 labels"):
        runtime.load(folder)


def test_serving_needs_no_torch(folder: Path) -> None:
    code = (
        "import sys, runtime; from probes.types import Item; "
        f"runtime.load({str(folder)!r})([Item('vote')]); "
        "print(sorted({'torch', 'transformers', 'optimum', 'onnx', 'bentoml'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_importing_the_package_opens_no_heavy_door() -> None:
    code = "import sys, runtime; print(sorted({'onnxruntime', 'tokenizers', 'torch'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
