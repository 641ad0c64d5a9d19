"""A graph on ONNX Runtime: on the providers named, or on CUDA where it really works, else on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.backends.graph import Choice, Ids, Input, feed, inputs
from runtime.session import open_session, wheel_fault


class OnnxRuntime:
    """What runs a model folder unless something else was chosen."""

    name = "onnxruntime"

    def __init__(
        self, path: Path, choice: Choice, threads: int | None = None, providers: Sequence[str] | None = None
    ) -> None:
        self.precision = choice.precision
        self._session = open_session(path, providers, threads)
        self._inputs = session_inputs(self._session)
        self.providers: tuple[str, ...] = tuple(self._session.get_providers())

    @staticmethod
    def fault() -> str | None:
        """Why it cannot be used here, or None."""
        return wheel_fault()

    @staticmethod
    def precisions(stored: str) -> tuple[str, ...]:
        """What a stored graph can be computed in: 16-bit floats are no faster on a CPU than the 32-bit ones."""
        return (stored,) if stored in ("int8", "fp32") else ()

    def run(self, ids: Ids, mask: Ids, types: Ids) -> NDArray[np.float32]:
        (logits,) = self._session.run(["logits"], feed(self._inputs, (ids, mask, types)))
        return np.asarray(logits, dtype=np.float32)


def session_inputs(session: Any) -> tuple[Input, ...]:
    """The inputs of an open session, checked by name."""
    taken = {node.name: node.type for node in session.get_inputs()}
    return inputs(taken, [node.name for node in session.get_outputs()])
