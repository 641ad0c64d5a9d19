"""What a graph must take and answer, whatever runs it, and how a choice of graph and runner is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from runtime.manifest import ModelFolderError, Onnx

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
Ids = NDArray[np.int64]


class Backend(Protocol):
    """An open graph; safe to call from several threads."""

    name: str
    precision: str
    """What it computes in: fp32, fp16, bf16 or int8."""
    providers: tuple[str, ...]
    """What does the work, most wanted first."""

    def run(self, ids: Ids, mask: Ids, types: Ids) -> NDArray[np.float32]:
        """Logits (n, k) of token ids, attention mask and segment ids, each (n, length)."""
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """A backend, the precision it computes in, and the graph of the folder it reads."""

    backend: str
    precision: str
    graph: Onnx

    def __str__(self) -> str:
        return f"{self.backend}:{self.precision}"


@dataclass(frozen=True, slots=True)
class Input:
    """An input of a graph: its name, which of ids, mask and types it takes, and the kind of integer."""

    name: str
    place: int
    kind: type[np.signedinteger[Any]]


def inputs(taken: Mapping[str, str], answered: Sequence[str]) -> tuple[Input, ...]:
    """The inputs of a graph that takes these names with these types; ModelFolderError where it is no classifier's."""
    if INPUTS[0] not in taken or not taken.keys() <= set(INPUTS):
        raise ModelFolderError(
            f"the ONNX graph takes {', '.join(taken)}; it must take input_ids and may take {', '.join(INPUTS[1:])}"
        )
    if "logits" not in answered:
        raise ModelFolderError(f"the ONNX graph answers {', '.join(answered)}; it must answer logits")
    return tuple(
        Input(name, INPUTS.index(name), np.int32 if "32" in kind else np.int64) for name, kind in taken.items()
    )


def feed(taken: Sequence[Input], arrays: tuple[Ids, Ids, Ids]) -> dict[str, NDArray[Any]]:
    """The arrays a graph takes, by name."""
    return {
        one.name: arrays[one.place] if one.kind is np.int64 else arrays[one.place].astype(one.kind) for one in taken
    }
