"""Texts out of the tensors of a request, scores into those of an answer: as JSON, or by the binary extension."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.types import Item
from runtime.classifier import Prediction
from service.http.errors import Refusal
from service.inference_v2.schemas import InferInput, InferRequest

Binary = bytes | memoryview


def items(request: InferRequest, tail: Binary) -> list[Item]:
    """The items of a request, whose tail is what follows its JSON; Refusal 422 where the tensors do not fit."""
    sides: dict[str, list[str]] = {}
    for tensor in request.inputs:
        size = tensor.parameters.binary_data_size if tensor.parameters else None
        if tensor.name in sides:
            raise _unfit(tensor.name, "is sent twice")
        if (size is None) == (tensor.data is None):
            raise _unfit(tensor.name, "needs either data, or a binary_data_size and the bytes behind the JSON")
        if size is not None and size > len(tail):
            raise _unfit(tensor.name, f"has {size} bytes by its binary_data_size; {len(tail)} follow")
        sides[tensor.name] = _flat(tensor) if size is None else _unpacked(tensor.name, tail[:size])
        tail = tail[size or 0 :]
        _fits(tensor, len(sides[tensor.name]))
    if tail:
        raise _unfit("The request", f"has {len(tail)} bytes that no tensor's binary_data_size speaks of")
    if "text" not in sides:
        raise _unfit("text", "is missing among the inputs")
    pairs = sides.get("text_pair")
    if pairs is not None and len(pairs) != len(sides["text"]):
        raise _unfit("text_pair", f"has {len(pairs)} elements for {len(sides['text'])} texts")
    return [Item(text, pair) for text, pair in zip_longest(sides["text"], pairs or ())]


@dataclass(slots=True)
class Outputs:
    """The outputs of an answer: what stands in its JSON, and the bytes behind it."""

    said: list[dict[str, Any]] = field(default_factory=list)
    tail: list[bytes] = field(default_factory=list)

    @classmethod
    def of(cls, request: InferRequest, prediction: Prediction, labels: Sequence[str]) -> Outputs:
        """What the request wants of a prediction."""
        wishes, outputs = request.parameters, cls()
        top_k, binary = (wishes.top_k, wishes.binary_data_output) if wishes else (None, False)
        order = np.argsort(-prediction.logits, axis=1, kind="stable")
        wanted = {one.name: one.parameters.binary_data if one.parameters else None for one in request.outputs or ()}
        for name, as_bytes in (wanted or {"label": None, "scores": None}).items():
            packed = binary if as_bytes is None else as_bytes
            if name == "label":
                best = order[:, :top_k] if top_k else order[:, 0]
                outputs.add(name, best.shape, [labels[int(column)] for column in best.ravel()], packed)
            else:
                rows = prediction.probabilities if name == "scores" else prediction.logits
                rows = np.take_along_axis(rows, order[:, :top_k], axis=1) if top_k else rows
                outputs.add(name, rows.shape, rows, packed)
        return outputs

    def add(self, name: str, shape: Sequence[int], values: list[str] | NDArray[np.float32], as_bytes: bool) -> None:
        """One tensor more."""
        datatype = "BYTES" if isinstance(values, list) else "FP32"
        said: dict[str, Any] = {"name": name, "datatype": datatype, "shape": list(shape)}
        if as_bytes:
            self.tail.append(_packed(values) if isinstance(values, list) else values.astype("<f4").tobytes())
            said["parameters"] = {"binary_data_size": len(self.tail[-1])}
        else:
            said["data"] = values if isinstance(values, list) else values.ravel().tolist()
        self.said.append(said)

    def body(self, answer: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
        """The body with these outputs in it, and the headers that say how to read it."""
        head = json.dumps(answer | {"outputs": self.said}, ensure_ascii=False, allow_nan=False).encode()
        if not self.tail:
            return head, {"Content-Type": "application/json"}
        headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head))}
        return b"".join((head, *self.tail)), headers


def _flat(tensor: InferInput) -> list[str]:
    texts = []
    for index, element in enumerate(tensor.data or ()):
        text = element[0] if isinstance(element, list) and len(element) == 1 else element
        if not isinstance(text, str):
            raise _unfit(tensor.name, f"has no text at data[{index}]; send strings, or lists of one string each")
        texts.append(text)
    return texts


def _fits(tensor: InferInput, count: int) -> None:
    if tensor.shape not in ([count], [count, 1]):
        raise _unfit(tensor.name, f"has the shape {tensor.shape} and {count} elements; send [{count}] or [{count}, 1]")
    if not count:
        raise _unfit(tensor.name, "is empty; send at least one text")


def _unpacked(name: str, data: Binary) -> list[str]:
    """Texts, each behind its length in four bytes, the lowest first."""
    texts, at = [], 0
    while at < len(data):
        end = at + 4 + (struct.unpack_from("<I", data, at)[0] if at + 4 <= len(data) else len(data))
        if end > len(data):
            raise _unfit(name, f"ends within the element at byte {at}")
        try:
            texts.append(str(data[at + 4 : end], "utf-8"))
        except UnicodeDecodeError:
            raise _unfit(name, f"has an element at byte {at} that is not UTF-8") from None
        at = end
    return texts


def _packed(texts: Iterable[str]) -> bytes:
    encoded = [text.encode() for text in texts]
    return b"".join(part for one in encoded for part in (struct.pack("<I", len(one)), one))


def _unfit(name: str, problem: str) -> Refusal:
    return Refusal(422, "bad_tensor", f"{name} {problem}.")
