"""Export: the folder answers like the model, in fp32 to 1e-4 and in int8 by label, whatever the texts' company."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from rich.console import Console
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import runtime
from probes.types import Example, Item
from runtime.manifest import Manifest, Onnx, verify
from tests.fakes_encoder import ARCHITECTURES, TEXTS, build_encoder_folder
from training.export import ExportError, export
from training.int8 import quantise

LABELS = ("sports", "politics", "health")
SAID = Manifest(
    labels=LABELS, languages=("de", "en", "ru"), max_length=40, encoder="tiny", licence="Apache-2.0", pairs=True
)
ROWS = [
    Example(f"{lang}-{number}", Item(text, texts[0] if number == 2 else None), lang)
    for lang, texts in TEXTS.items()
    for number, text in enumerate(texts)
]


def _silent() -> Console:
    return Console(file=io.StringIO(), width=200)


def _torch_answers(folder: Path, items: list[Item]) -> np.ndarray:
    """One by one, by transformers alone."""
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    rows = []
    for item in items:
        encoded = tokenizer(item.text, item.pair, truncation="longest_first", max_length=40, return_tensors="pt")
        with torch.inference_mode():
            rows.append(torch.softmax(model(**encoded).logits[0], -1).numpy())
    return np.stack(rows)


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_every_architecture_answers_like_torch(tmp_path: Path, architecture: str) -> None:
    source = build_encoder_folder(tmp_path / "source", architecture)
    said = replace(SAID, onnx=Onnx(precision="fp32"))
    manifest = export(source, tmp_path / "out", manifest=said, rows=ROWS, console=_silent())
    assert manifest == verify(tmp_path / "out")
    assert manifest.parity is not None and manifest.parity.fp32_max_difference is not None
    assert manifest.parity.fp32_max_difference < 1e-4
    items = [row.item for row in ROWS] + [Item(""), Item("врач " * 40), Item("a", "b " * 60)]
    answers = runtime.load(tmp_path / "out")(items)
    np.testing.assert_allclose(answers, _torch_answers(source, items), atol=1e-4)
    assert answers.std(axis=0).max() > 0.01  # the texts do differ


def test_int8_agrees_by_language_and_is_small(tmp_path: Path) -> None:
    source = build_encoder_folder(tmp_path / "source", "bert")
    console = _silent()
    manifest = export(source, tmp_path / "out", manifest=SAID, rows=ROWS, card="# Mine\n", console=console)
    assert manifest.onnx == Onnx("model.onnx", manifest.onnx.opset, "int8", 1)
    assert manifest.parity is not None
    agreement = manifest.parity.int8_label_agreement
    assert {lang: entry.n for lang, entry in agreement.items()} == {"de": 3, "en": 3, "ru": 3}
    stored = runtime.load(tmp_path / "out")
    exact = _torch_answers(source, [row.item for row in ROWS])
    same = stored([row.item for row in ROWS]).argmax(axis=1) == exact.argmax(axis=1)
    for lang, entry in agreement.items():
        assert entry.share == pytest.approx(np.mean([s for s, row in zip(same, ROWS, strict=True) if row.lang == lang]))
    assert "int8 labels equal" in console.file.getvalue() and "ru " in console.file.getvalue()  # type: ignore[attr-defined]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "README.md", "manifest.json", "model.onnx", "tokenizer.json",
    ]  # fmt: skip
    assert (tmp_path / "out" / "README.md").read_text() == "# Mine\n"
    graph = onnx.load(tmp_path / "out" / "model.onnx").graph
    kinds = {tensor.name: tensor.data_type for tensor in graph.initializer if np.prod(tensor.dims) >= 32 * 32}
    of_head = {node.input[1] for node in graph.node if node.op_type == "Gemm"}
    left = {name for name, kind in kinds.items() if kind != TensorProto.INT8}
    assert left <= of_head and len(kinds) - len(left) >= 2 * 6 + 2  # matrices of the layers, embeddings
    assert not any("/" in node.doc_string for node in graph.node)


def test_int8_answers_do_not_depend_on_the_company(tmp_path: Path) -> None:
    export(build_encoder_folder(tmp_path / "source"), tmp_path / "out", manifest=SAID, rows=ROWS, console=_silent())
    classifier = runtime.load(tmp_path / "out")
    items = [row.item for row in ROWS]
    alone = np.concatenate([classifier([item]) for item in items])
    np.testing.assert_allclose(classifier(items), alone, atol=1e-5)


def test_tokenizer_keeps_no_padding_or_truncation(tmp_path: Path) -> None:
    source = build_encoder_folder(tmp_path / "source")
    content = json.loads((source / "tokenizer.json").read_text())
    content["truncation"] = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    (source / "tokenizer.json").write_text(json.dumps(content))
    export(source, tmp_path / "out", manifest=SAID, rows=ROWS, console=_silent())
    stored = json.loads((tmp_path / "out" / "tokenizer.json").read_text())
    assert stored["truncation"] is None and stored["padding"] is None


def test_what_does_not_fit_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    source = build_encoder_folder(tmp_path / "source")
    out = tmp_path / "out"
    with pytest.raises(ExportError, match="3 outputs, 2 labels"):
        export(source, out, manifest=replace(SAID, labels=("a", "b")), rows=ROWS, console=_silent())
    with pytest.raises(ExportError, match="cannot take 500 tokens"):
        export(source, out, manifest=replace(SAID, max_length=500), rows=ROWS, console=_silent())
    with pytest.raises(ExportError, match="rows"):
        export(source, out, manifest=SAID, rows=[], console=_silent())
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_only_a_model_folder_is_replaced(tmp_path: Path) -> None:
    source = build_encoder_folder(tmp_path / "source")
    out = tmp_path / "out"
    for licence in ("MIT", "Apache-2.0"):
        export(source, out, manifest=replace(SAID, licence=licence), rows=ROWS, console=_silent())
    assert verify(out).licence == "Apache-2.0"
    with pytest.raises(ExportError, match="not a model folder"):
        export(source, source, manifest=SAID, rows=ROWS, console=_silent())
    assert (source / "config.json").is_file()


@pytest.mark.parametrize("opset", [17, 18])
def test_quantised_nodes_by_hand(opset: int) -> None:
    """One outlying token leaves the others as exact as they are without it."""
    rng = np.random.default_rng(0)
    table = rng.normal(size=(50, 16)).astype(np.float32)
    table[0] *= 1000
    weights = rng.normal(size=(16, 8)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "ids"], ["x"]), helper.make_node("MatMul", ["x", "w"], ["y"])],
        "two",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 8])],
        [numpy_helper.from_array(table, "table"), numpy_helper.from_array(weights, "w")],
    )
    model = quantise(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    ids = np.arange(50)
    (answer,) = session.run(None, {"ids": ids})
    exact = table @ weights
    error = np.abs(answer - exact).max(axis=1) / np.abs(table).max(axis=1)
    assert error.max() < 0.1
    (without,) = session.run(None, {"ids": ids[1:]})
    np.testing.assert_array_equal(without, answer[1:])
    kinds = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    assert kinds["table_1_i8"] == kinds["w_0_i8"] == TensorProto.INT8 and not {"table", "w"} & kinds.keys()
