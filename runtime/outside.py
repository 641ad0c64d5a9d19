"""Which other files an ONNX graph reads its weights from, out of its bytes: what serves has no onnx package."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

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
_VARINT, _LENGTH = 0, 2
_SIZES = {1: 8, 3: 0, 4: 0, 5: 4}
"""Bytes of what is stored in another way; none for both ends of a group, whose fields are read like any others."""


def locations(graph: Path) -> list[str]:
    """The files as the graph names them, relative to its own folder; none where it is no graph at all."""
    with graph.open("rb") as file:
        try:
            found = set(_named(file, 0, os.fstat(file.fileno()).st_size, "ModelProto"))
        except (ValueError, RecursionError):
            return []
    return sorted(name.decode("utf-8", "replace") for name in found)


def _named(file: BinaryIO, at: int, end: int, message: str) -> Iterator[bytes]:
    for number, begin, stop in _fields(file, at, end):
        if inner := HOLDS.get(message, {}).get(number):
            yield from _named(file, begin, stop, inner)
        elif message == _TENSOR and number == _EXTERNAL_DATA:
            said = [(field, _text(file, *place)) for field, *place in _fields(file, begin, stop)]
            if (_KEY, b"location") in said:
                yield from (value for field, value in said if field == _VALUE)


def _fields(file: BinaryIO, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number, begin and end of each field of a message that may hold a message or a text."""
    while at < end:
        file.seek(at)
        tag = _number(file)
        kind, size = tag & 7, 0
        if kind == _VARINT:
            _number(file)
        elif kind == _LENGTH:
            size = _number(file)
        elif kind in _SIZES:
            size = _SIZES[kind]
        else:
            raise ValueError(f"no field is stored as {kind}")
        begin = file.tell()
        at = begin + size
        if at > end:
            raise ValueError("a field ends behind its message")
        if kind == _LENGTH:
            yield tag >> 3, begin, at


def _number(file: BinaryIO) -> int:
    """Sevens of bits, the lowest first; each but the last is marked."""
    number = 0
    for place in range(10):
        (byte,) = file.read(1)
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return number
    raise ValueError("a number of more than 64 bits")


def _text(file: BinaryIO, begin: int, end: int) -> bytes:
    file.seek(begin)
    return file.read(end - begin)
