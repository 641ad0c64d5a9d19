"""Graphs written beside the one that is served: by an export, an import and a recipe, and they answer like it."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto
from rich.console import Console

import runtime
from probes.types import Example, Item
from runtime.classifier import padded
from runtime.manifest import Manifest, Onnx, verify
from runtime.tokenization import Tokenization
from tests.fakes_encoder import TEXTS, build_encoder_folder
from tests.fakes_model import build_model_folder
from training import recipe
from training.export import ExportError, export
from training.importing import import_model
from training.int8 import quantise

QUIET = Console(file=io.StringIO())
ROWS = [
    Example(f"{lang}-{place}", Item(text), lang) for lang, texts in TEXTS.items() for place, text in enumerate(texts)
]
KEPT = (Onnx(precision="fp32"), Onnx(precision="fp16"))


def _logits(graph: Path, folder: Path, manifest: Manifest) -> np.ndarray:
    """By ONNX Runtime alone, which also runs 16-bit graphs on a CPU."""
    rows = Tokenization(folder / "tokenizer.json", manifest.max_length)([row.item for row in ROWS])
    ids, mask, _ = padded(rows, manifest.onnx.pad_id)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    (logits,) = session.run(["logits"], {node.name: feeds[node.name] for node in session.get_inputs()})
    assert logits.dtype == np.float32
    return np.asarray(logits)


def test_an_export_keeps_what_was_asked_for(tmp_path: Path) -> None:
    source, out = build_encoder_folder(tmp_path / "source", "bert"), tmp_path / "out"
    said = Manifest(labels=("a", "b", "c"), languages=("de",), max_length=40, encoder="x", licence="y", variants=KEPT)
    manifest = export(source, out, manifest=said, rows=ROWS, console=QUIET)
    assert manifest == verify(out)
    assert [(one.file, one.precision, one.pad_id) for one in (manifest.onnx, *manifest.variants)] == [
        ("model.onnx", "int8", 1),
        ("model.fp32.onnx", "fp32", 1),
        ("model.fp16.onnx", "fp16", 1),
    ]
    plain = export(source, tmp_path / "plain", manifest=replace(said, onnx=KEPT[0], variants=()), rows=ROWS,
                   console=QUIET)  # fmt: skip
    exact = _logits(tmp_path / "plain" / plain.onnx.file, out, manifest)
    np.testing.assert_array_equal(_logits(out / "model.fp32.onnx", out, manifest), exact)
    np.testing.assert_allclose(_logits(out / "model.fp16.onnx", out, manifest), exact, atol=0.02)
    assert np.ptp(exact) > 0.5
    half = onnx.load(out / "model.fp16.onnx").graph
    assert {tensor.data_type for tensor in half.initializer if len(tensor.dims) == 2} == {TensorProto.FLOAT16}
    assert sum(node.op_type == "SkipLayerNormalization" for node in half.node) == 4
    served = runtime.load(out, backend="onnxruntime:fp32", threads=1)
    np.testing.assert_allclose(served.predict([row.item for row in ROWS]).logits, exact, atol=1e-4)


def test_fp32_is_not_kept_beside_itself(tmp_path: Path) -> None:
    source = build_encoder_folder(tmp_path / "source")
    manifest = import_model(source, tmp_path / "out", precision="fp32", keep=["fp32"], console=QUIET)
    assert manifest.variants == () and verify(tmp_path / "out") == manifest


def test_an_import_keeps_the_graph_it_came_as(tmp_path: Path) -> None:
    source = build_model_folder(tmp_path / "source")
    manifest = import_model(source / "model.onnx", tmp_path / "out", labels=["a", "b", "c"], keep=["fp32"],
                            console=QUIET)  # fmt: skip
    assert [one.precision for one in (manifest.onnx, *manifest.variants)] == ["int8", "fp32"]
    items = [Item("vote vote doctor"), Item("football")]
    kept = runtime.load(tmp_path / "out", backend="onnxruntime:fp32", threads=1)
    np.testing.assert_array_equal(kept(items), runtime.load(source, threads=1)(items))


def test_there_is_nothing_to_keep_of_what_others_quantised(tmp_path: Path) -> None:
    source = build_model_folder(tmp_path / "source")
    onnx.save(quantise(onnx.load(source / "model.onnx")), source / "model.onnx")
    with pytest.raises(ExportError, match="no fp32 to keep"):
        import_model(source / "model.onnx", tmp_path / "out", labels=["a", "b", "c"], keep=["fp32"], console=QUIET)


def test_a_recipe_names_what_is_kept_and_one_that_does_not_is_the_one_it_was() -> None:
    topics = recipe.load("topics")
    assert topics.keep == () and "keep" not in topics.said()
    kept = replace(topics, keep=("fp32",))
    assert kept.digest() != topics.digest()
    stage = {"name": "one", "data": ["toy:train"]}
    assert recipe.parse({"name": "mine", "stage": [stage], "keep": ["fp32", "fp16"]}, "x").keep == ("fp32", "fp16")
    with pytest.raises(recipe.TableError, match="keep"):
        recipe.parse({"name": "mine", "stage": [stage], "keep": ["int4"]}, "x")
