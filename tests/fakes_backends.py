"""Model folders with several graphs, each answer of which can be worked out by hand."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
from tokenizers import Tokenizer

from probes.types import Example, Item
from runtime.manifest import Manifest, Onnx, read, write
from tests.fakes_model import KEYWORDS, WEIGHT, build_model_folder

WORDS = {"en": "football", "de": "Wahl", "ru": "врач"}


def build_variants(path: Path) -> Manifest:
    """The keyword model as "int8" (it is none: names are what is chosen by) with its fp32 graph beside it."""
    build_model_folder(path)
    shutil.copyfile(path / "model.onnx", path / "model.fp32.onnx")
    pad = read(path).onnx.pad_id
    said = replace(
        read(path), onnx=Onnx("model.onnx", 17, "int8", pad), variants=(Onnx("model.fp32.onnx", 17, "fp32", pad),)
    )
    return write(path, said)


def add_wrong(path: Path) -> Manifest:
    """One more graph, which takes the German word for politics to be about health."""
    model = onnx.load(path / "model.onnx")
    (stored,) = (tensor for tensor in model.graph.initializer if tensor.name == "table")
    table = numpy_helper.to_array(stored).copy()
    labels = list(KEYWORDS)
    row = Tokenizer.from_file(str(path / "tokenizer.json")).token_to_id(WORDS["de"])
    table[row] = np.eye(len(labels), dtype=np.float32)[labels.index("health")] * WEIGHT
    stored.CopyFrom(numpy_helper.from_array(table, "table"))
    return _add(path, "model.wrong.onnx", model)


def add_narrow(path: Path, rows: int) -> Manifest:
    """One more graph, which fails on a batch of so many rows or more: it looks up their number in a table."""
    model = onnx.load(path / "model.onnx")
    constants = {"none": np.zeros(rows, np.float32), "at": np.array(0)}
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    model.graph.node[-1].output[0] = "sums"
    model.graph.node.extend(
        [
            helper.make_node("Shape", ["input_ids"], ["shape"]),
            helper.make_node("Gather", ["shape", "at"], ["number"]),
            helper.make_node("Gather", ["none", "number"], ["nothing"]),
            helper.make_node("Add", ["sums", "nothing"], ["logits"]),
        ]
    )
    return _add(path, "model.narrow.onnx", model)


def _add(path: Path, name: str, model: onnx.ModelProto) -> Manifest:
    onnx.save(model, path / name)
    before = read(path)
    return write(path, replace(before, variants=(*before.variants, Onnx(name, 17, "int8", before.onnx.pad_id))))


def examples(each: int) -> list[Example]:
    """So many texts of every language, each with its language's word and a number."""
    return [
        Example(f"{lang}-{number}", Item(f"{word} {number} x" + " y" * (number % 7)), lang)
        for number in range(each)
        for lang, word in WORDS.items()
    ]
