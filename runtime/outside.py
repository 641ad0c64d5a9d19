"""Which other files an ONNX graph reads its weights from, out of its bytes: what serves has no onnx package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

HOLDS: Mapping[str, Mapping[int, str]] = {
    "ModelProto": {7: "GraphProto", 20: "TrainingInfoProto", 25: "FunctionProto"},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto"},
    "FunctionProto": {7: "NodeProto", 11: "AttributeProto"},
    "GraphProto": {1: "NodeProto", 5: "TensorProto", 15: "SparseTensorProto"},
    "NodeProto": {5: "AttributeProto"},
    "AttributeProto": {
        5: "TensorProto", 6: "GraphProto", 10: "TensorProto", 11: "GraphProto",
        22: "SparseTensorProto", 23: "SparseTensorProto",
    },
    "SparseTensorProto": {1: "TensorProto", 2: "TensorProto"},
}  # fmt: skip
"""The fields of each message of onnx.proto by which a tensor is reached."""
_TENSOR, _EXTERNAL_DATA = "TensorProto", 13
_KEY, _VALUE = 1, 2
_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5
"""How a field of protobuf is stored."""


def locations(graph: Path) -> set[str]:
    """The files as the graph names them, relative to its own folder; ValueError where it is no message."""
    content = graph.read_bytes()
    try:
        return {name.decode("utf-8", "replace") for name in _named(content, 0, len(content), "ModelProto")}
    except (IndexError, RecursionError):
        raise ValueError(f"{graph} is no ONNX graph") from None


def _named(content: bytes, at: int, end: int, message: str) -> Iterator[bytes]:
    for number, begin, stop in _fields(content, at, end):
        if inner := HOLDS.get(message, {}).get(number):
            yield from _named(content, begin, stop, inner)
        elif message == _TENSOR and number == _EXTERNAL_DATA:
            said = [(field, content[b:e]) for field, b, e in _fields(content, begin, stop)]
            if (_KEY, b"location") in said:
                yield from (value for field, value in said if field == _VALUE)


def _fields(content: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number, begin and end of each field of a message that may hold a message or a text."""
    while at < end:
        tag, at = _varint(content, at)
        begin, kind = at, tag & 7
        if kind == _VARINT:
            _, at = _varint(content, at)
        elif kind == _LENGTH:
            length, begin = _varint(content, at)
            at = begin + length
        elif kind in (_EIGHT, _FOUR):
            at += 8 if kind == _EIGHT else 4
        else:
            raise ValueError(f"no field is stored as {kind}")
        if at > end:
            raise ValueError("a field ends behind its message")
        if kind == _LENGTH:
            yield tag >> 3, begin, at


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """A number in sevens of bits, the lowest first, and where it ends."""
    number = shift = 0
    while True:
        byte = content[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at
