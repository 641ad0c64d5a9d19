"""Weights beside a graph: found in its bytes wherever onnx.proto lets a tensor stand, and refused unless digested."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import runtime
from probes.types import Item
from runtime.manifest import ModelFolderError, read, verify, write
from runtime.outside import HOLDS, locations
from tests.fakes_model import build_model_folder


def outside(location: str, **more: str) -> TensorProto:
    """A tensor whose values lie in another file."""
    tensor = TensorProto(name=location, data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    for key, value in {**more, "location": location}.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return tensor


def put_outside(folder: Path, location: str) -> bytes:
    """Say that the weights of the keyword model, which are returned, lie in this file."""
    model = onnx.load(folder / "model.onnx")
    (table,) = (tensor for tensor in model.graph.initializer if tensor.name == "table")
    weights, shape = table.raw_data, list(table.dims)
    table.CopyFrom(outside(location))
    table.name, table.dims[:] = "table", shape
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    return weights


def test_a_tensor_is_reached_by_every_field_that_may_hold_one() -> None:
    kinds: dict[str, dict[int, str]] = {}

    def look(message: Any) -> None:
        if message.name not in kinds:
            inner = {field.number: field.message_type for field in message.fields if field.message_type}
            kinds[message.name] = {number: one.name for number, one in inner.items()}
            for one in inner.values():
                look(one)

    look(onnx.ModelProto.DESCRIPTOR)
    reach = {"TensorProto"}
    while more := {name for name, fields in kinds.items() if reach.intersection(fields.values())} - reach:
        reach |= more
    wanted = {name: {n: one for n, one in kinds[name].items() if one in reach} for name in reach}
    assert {name: dict(fields) for name, fields in HOLDS.items()} == {name: one for name, one in wanted.items() if one}


def test_every_file_is_found_however_deep(tmp_path: Path) -> None:
    inner = helper.make_graph(
        [helper.make_node("Constant", [], ["x"], value=outside("in a branch"))], "inner", [], [], [outside("ещё")]
    )
    nodes = [
        helper.make_node("If", ["c"], ["y"], then_branch=inner),
        helper.make_node("Mine", [], ["z"], domain="d", many=[outside("one of many")]),
    ]
    function = helper.make_function(
        "d", "Mine", [], ["x"], [helper.make_node("Constant", [], ["x"], value=outside("in a function"))], []
    )
    graph = helper.make_graph(nodes, "outer", [], [], [outside("weights", offset="0", length="4")])
    graph.sparse_initializer.add().values.CopyFrom(outside("sparse"))
    graph.initializer.append(numpy_helper.from_array(np.frombuffer(b"location", np.uint8), "location"))
    model = helper.make_model(graph, functions=[function])
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    found = ["in a branch", "in a function", "one of many", "sparse", "weights", "ещё"]
    assert locations(tmp_path / "model.onnx") == found


@pytest.mark.parametrize("content", [b"", b"no graph", b"\xff" * 40, b"\x3a\x05\x0a", b"\x3a" * 10_000, b"\x0f"])
def test_what_is_no_graph_names_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    assert locations(tmp_path / "model.onnx") == []


def test_weights_in_a_file_of_the_folder_are_digested_like_all(tmp_path: Path) -> None:
    folder = build_model_folder(tmp_path / "model")
    (folder / "weights.bin").write_bytes(put_outside(folder, "weights.bin"))
    write(folder, read(folder))
    assert read(folder).files.keys() >= {"model.onnx", "weights.bin"}
    with_weights = runtime.load(folder, threads=1)
    assert with_weights.labels[with_weights([Item("the doctor")]).argmax()] == "health"
    content = bytearray((folder / "weights.bin").read_bytes())
    content[-1] ^= 1
    (folder / "weights.bin").write_bytes(content)
    with pytest.raises(ModelFolderError, match=r"weights\.bin: sha256 differs"):
        runtime.load(folder, threads=1)


@pytest.mark.parametrize("location", [".w", "./.w", ".git/w", "../w", "/w", "sub/../README.md", "absent"])
def test_weights_that_the_manifest_does_not_name_are_refused(tmp_path: Path, location: str) -> None:
    """Hidden files are nobody's content and never digested: one changed byte of them would not be seen."""
    folder = build_model_folder(tmp_path / "model")
    (folder / ".git").mkdir()
    weights = put_outside(folder, location)
    for place in (".w", ".git/w"):
        (folder / place).write_bytes(weights)
    write(folder, read(folder))
    with pytest.raises(ModelFolderError, match=r"model\.onnx: this ONNX graph reads .*not in the manifest"):
        verify(folder)


def test_what_is_shipped_needs_no_other_file() -> None:
    assert locations(Path(__file__).parent.parent / "models" / "topics" / "model.onnx") == []
