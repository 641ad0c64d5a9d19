"""An exported graph in two: tokens to word embeddings, and word embeddings to logits, for noise between them."""

from __future__ import annotations

import onnx
from onnx.utils import Extractor

EMBEDS = "inputs_embeds"


def embedding_tensor(graph: onnx.GraphProto) -> str:
    """Name of the word-embedding output in an fp32 graph: what a Gather from a matrix by input_ids answers."""
    matrices = {tensor.name for tensor in graph.initializer if len(tensor.dims) == 2}
    ids = {"input_ids"}
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in ids:
            ids.add(node.output[0])
        if node.op_type == "Gather" and node.input[0] in matrices and node.input[1] in ids:
            return str(node.output[0])
    raise ValueError("the graph has no word embeddings that input_ids look up; it cannot be smoothed")


def split(model: onnx.ModelProto, tensor: str) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """The graph before the tensor and the one after it, where it is called inputs_embeds."""
    described = onnx.ModelProto()
    described.CopyFrom(model)
    names = [value.name for value in described.graph.input]
    if tensor not in {value.name for value in described.graph.value_info}:
        described.graph.value_info.append(
            onnx.helper.make_tensor_value_info(tensor, onnx.TensorProto.FLOAT, ["batch", "sequence", None])
        )
    extractor = Extractor(described)
    first = extractor.extract_model(["input_ids"], [tensor])
    second = extractor.extract_model([tensor, *names], ["logits"])
    _rename(first.graph, tensor)
    _rename(second.graph, tensor)
    read = {name for node in second.graph.node for name in node.input}
    unread = [value for value in second.graph.input if value.name not in read]
    for value in unread:
        second.graph.input.remove(value)
    return first, second


def _rename(graph: onnx.GraphProto, tensor: str) -> None:
    for node in graph.node:
        node.input[:] = [EMBEDS if name == tensor else name for name in node.input]
        node.output[:] = [EMBEDS if name == tensor else name for name in node.output]
    for value in (*graph.input, *graph.output):
        if value.name == tensor:
            value.name = EMBEDS
