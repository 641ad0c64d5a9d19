"""A model folder whose every answer can be worked out by hand: logit = weight x keywords of the label in the text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from runtime.manifest import Manifest, Onnx, write

KEYWORDS = {
    "sports": ("football", "team", "match", "Fußball", "футбол", "足球"),
    "politics": ("election", "minister", "vote", "Wahl", "выборы", "选举"),
    "health": ("doctor", "hospital", "vaccine", "Arzt", "врач", "医生"),
}
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
WEIGHT = 2.0


def build_model_folder(
    path: Path,
    labels: Sequence[str] = tuple(KEYWORDS),
    keywords: Mapping[str, Sequence[str]] = KEYWORDS,
    *,
    languages: Sequence[str] = ("de", "en", "ru", "zh"),
    max_length: int = 32,
    pairs: bool = False,
) -> Path:
    """Write a real model folder: a label's logit is WEIGHT times its keywords among the words of text and pair.

    A label without keywords has its own name for one. Words are runs of letters, case counts; unknown words weigh
    nothing, so with no keyword at all every label is equally likely and the first one wins.
    """
    path.mkdir(parents=True, exist_ok=True)
    columns = {word: column for column, label in enumerate(labels) for word in keywords.get(label, (label,))}
    vocabulary = {word: number for number, word in enumerate((*SPECIAL, *columns))}
    table = np.zeros((len(vocabulary), len(labels)), dtype=np.float32)
    for word, column in columns.items():
        table[vocabulary[word], column] = WEIGHT
    (path / "model.onnx").write_bytes(_graph(table).SerializeToString())
    (path / "tokenizer.json").write_text(_tokenizer(vocabulary).to_str(), encoding="utf-8")
    (path / "README.md").write_text("# Keyword counter\n\nFor tests.\n", encoding="utf-8")
    write(
        path,
        Manifest(
            labels=tuple(labels),
            languages=tuple(languages),
            max_length=max_length,
            onnx=Onnx("model.onnx", 17, "fp32", vocabulary["[PAD]"]),
            encoder="keywords",
            licence="Apache-2.0",
            pairs=pairs,
        ),
    )
    return path


def _tokenizer(vocabulary: Mapping[str, int]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel(dict(vocabulary), unk_token="[UNK]"))
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def _graph(table: np.ndarray) -> onnx.ModelProto:
    """logits = sum over the unmasked tokens of their rows of the table, shape (batch, labels)."""
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
        for name in ("input_ids", "attention_mask")
    ]
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", table.shape[1]])
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["rows", "column"], ["masked"]),
        helper.make_node("ReduceSum", ["masked", "middle"], ["logits"], keepdims=0),
    ]
    constants = {"table": table, "last": np.array([-1]), "middle": np.array([1])}
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "keywords", inputs, [output], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
