"""Bring your own model: every kind of source becomes a folder that answers like it, or a sentence that says why not."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertConfig, BertModel, BertTokenizer

import runtime
from probes.types import Item
from runtime.manifest import verify
from tests.fakes_encoder import build_encoder_folder
from tests.fakes_model import build_model_folder
from training.export import ExportError
from training.importing import import_model

QUIET = Console(file=io.StringIO())
ITEMS = [Item("der Arzt"), Item("no news today", "матч"), Item("")]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return build_encoder_folder(tmp_path / "source")


def _edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _torch_answers(folder: Path) -> np.ndarray:
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        return np.stack(
            [torch.softmax(model(**tokenizer(i.text, i.pair, return_tensors="pt")).logits[0], -1) for i in ITEMS]
        )


def test_a_hugging_face_folder(source: Path, tmp_path: Path) -> None:
    manifest = import_model(source, tmp_path / "out", languages=("de", "en"), precision="fp32", console=QUIET)
    assert manifest == verify(tmp_path / "out")
    assert manifest.labels == ("sports", "politics", "health")
    assert (manifest.languages, manifest.encoder, manifest.max_length) == (("de", "en"), "source", 64)
    assert manifest.parity is not None and manifest.parity.n == 65
    np.testing.assert_allclose(runtime.load(tmp_path / "out")(ITEMS), _torch_answers(source), atol=1e-4)


def test_int8_is_the_default_and_compared_on_the_vocabulary(source: Path, tmp_path: Path) -> None:
    manifest = import_model(source, tmp_path / "out", max_length=32, console=QUIET)
    assert (manifest.onnx.precision, manifest.max_length) == ("int8", 32)
    assert manifest.parity is not None and manifest.parity.int8_label_agreement["und"].n == 64
    np.testing.assert_allclose(runtime.load(tmp_path / "out")(ITEMS), _torch_answers(source), atol=0.1)


def test_weights_in_a_bin_file(source: Path, tmp_path: Path) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(source)
    expected = _torch_answers(source)
    (source / "model.safetensors").unlink()
    torch.save(model.state_dict(), source / "pytorch_model.bin")
    import_model(source, tmp_path / "out", precision="fp32", console=QUIET)
    np.testing.assert_allclose(runtime.load(tmp_path / "out")(ITEMS), expected, atol=1e-4)


def test_a_bin_file_that_holds_code_is_not_run(source: Path, tmp_path: Path) -> None:
    (source / "model.safetensors").unlink()
    torch.save({"classifier.out_proj.bias": Path("/")}, source / "pytorch_model.bin")
    with pytest.raises(ExportError, match="cannot be loaded"):
        import_model(source, tmp_path / "out", console=QUIET)


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_an_onnx_file_with_its_tokenizer(tmp_path: Path, precision: str) -> None:
    folder = build_model_folder(tmp_path / "theirs")
    (folder / "manifest.json").unlink()
    labels = ("sports", "politics", "health")
    for source in (folder, folder / "model.onnx"):
        manifest = import_model(source, tmp_path / precision, labels=labels, precision=precision, console=QUIET)  # type: ignore[arg-type]
        assert manifest.onnx.precision == precision
        assert manifest.parity is not None and manifest.parity.fp32_max_difference is None
        (answer,) = runtime.load(tmp_path / precision)([Item("vote vote doctor", "vote")])
        np.testing.assert_allclose(np.log(answer / answer[0]), [0, 6, 2], atol=0.05)


def test_a_folder_of_ours_imports_again(source: Path, tmp_path: Path) -> None:
    import_model(source, tmp_path / "one", console=QUIET)
    (tmp_path / "one" / "config.json").write_text('{"id2label": {"0": "a", "1": "b", "2": "c"}, "pad_token_id": 1}')
    with pytest.raises(ExportError, match="cannot run on 512 tokens"):
        import_model(tmp_path / "one" / "model.onnx", tmp_path / "two", console=QUIET)
    again = import_model(tmp_path / "one" / "model.onnx", tmp_path / "two", max_length=64, console=QUIET)
    assert again.labels == ("a", "b", "c") and again.onnx.pad_id == 1
    (tmp_path / "one" / "config.json").unlink()
    one = runtime.load(tmp_path / "one")
    np.testing.assert_allclose(runtime.load(tmp_path / "two")(ITEMS), one(ITEMS), atol=0.02)


def test_a_slow_tokenizer_is_converted(tmp_path: Path) -> None:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "vote", "team", "##s"]
    source = tmp_path / "slow"
    source.mkdir()
    (source / "vocab.txt").write_text("\n".join(words))
    BertTokenizer(str(source / "vocab.txt")).save_pretrained(source)
    config = BertConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=1, num_attention_heads=4, intermediate_size=32,
        id2label={0: "no", 1: "yes"}, label2id={"no": 0, "yes": 1},
    )  # fmt: skip
    AutoModelForSequenceClassification.from_config(config).save_pretrained(source)
    assert not (source / "tokenizer.json").exists()
    import_model(source, tmp_path / "out", console=QUIET)
    assert runtime.load(tmp_path / "out")([Item("teams vote")]).shape == (1, 2)


def test_labels_must_be_named_once(source: Path, tmp_path: Path) -> None:
    _edit(source / "config.json", id2label={str(n): f"LABEL_{n}" for n in range(3)})
    with pytest.raises(ExportError, match="does not name its 3 labels"):
        import_model(source, tmp_path / "out", console=QUIET)
    with pytest.raises(ExportError, match="2 labels were given"):
        import_model(source, tmp_path / "out", labels=("a", "b"), console=QUIET)
    assert import_model(source, tmp_path / "out", labels=("a", "b", "c"), console=QUIET).labels == ("a", "b", "c")


def test_what_cannot_be_served_says_why(source: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(source, bare)
    config = BertConfig(vocab_size=60, hidden_size=32, num_hidden_layers=1, num_attention_heads=4, intermediate_size=32)
    BertModel(config).save_pretrained(bare)
    with pytest.raises(ExportError, match=r"no weights for classifier\.bias.*no finished sequence classifier"):
        import_model(bare, tmp_path / "out", labels=("a", "b"), console=QUIET)
    _edit(source / "config.json", problem_type="multi_label_classification")
    with pytest.raises(ExportError, match="choose one of two or more labels"):
        import_model(source, tmp_path / "out", console=QUIET)
    onnx_alone = tmp_path / "alone"
    onnx_alone.mkdir()
    shutil.copy(build_model_folder(tmp_path / "model") / "model.onnx", onnx_alone)
    with pytest.raises(ExportError, match=r"no tokenizer\.json"):
        import_model(onnx_alone / "model.onnx", tmp_path / "out", labels=("a", "b", "c"), console=QUIET)
    with pytest.raises(ExportError, match="no such file"):
        import_model(tmp_path / "nothing.onnx", tmp_path / "out", console=QUIET)
    assert not (tmp_path / "out").exists()


def test_a_model_nobody_has_is_told(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="neither a folder here nor a model"):
        import_model("not/a model name", tmp_path / "out", console=QUIET)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ExportError, match=r"neither config\.json with weights nor an ONNX file"):
        import_model(tmp_path / "empty", tmp_path / "out", console=QUIET)
