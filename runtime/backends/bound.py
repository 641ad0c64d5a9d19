"""A session whose inputs and answers are bound to a device, with a captured CUDA graph for each small shape."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.backends.graph import INPUTS, Ids, feed
from runtime.backends.onnx_runtime import session_inputs
from runtime.session import onnxruntime

LENGTHS = (16, 32, 64, 128, 256, 512)
GRAPH_TOKENS = 2048
"""Padded tokens up to which starting the kernels costs as much as running them; beyond, a graph gains nothing."""


def bucket(rows: int, length: int) -> tuple[int, int] | None:
    """The shape a batch is padded to: rows to a power of two, tokens to one of LENGTHS; None for a large batch."""
    wide = next((one for one in LENGTHS if one >= length), None)
    tall = 1 << (rows - 1).bit_length()
    return (tall, wide) if wide and tall * wide <= GRAPH_TOKENS else None


@dataclass(frozen=True, slots=True)
class _Slot:
    """The buffers of one shape, whose addresses a captured graph remembers."""

    binding: Any
    options: Any
    host: dict[str, NDArray[Any]]
    """The inputs on this side, padding included."""
    device: dict[str, Any]


@dataclass
class BoundSession:
    """Runs a session by IO binding; small batches are padded to a bucket, which keeps its buffers and its graph.

    CUDA graphs belong to the thread that captured them, so one thread makes all runs, whoever asks for them.
    """

    session: Any
    pad_id: int
    device: str = "cuda"
    graphs: bool = True
    slots: dict[tuple[int, int], _Slot] = field(default_factory=dict)
    _labels: int = 0
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="bound"))

    def __post_init__(self) -> None:
        self._inputs = session_inputs(self.session)
        self._no_graph = _options("-1")

    def run(self, ids: Ids, mask: Ids, types: Ids) -> NDArray[np.float32]:
        """Logits (n, k); one call at a time, for the buffers are shared too."""
        return self._thread.submit(self._run, ids, mask, types).result()

    def _run(self, ids: Ids, mask: Ids, types: Ids) -> NDArray[np.float32]:
        shape = bucket(*ids.shape) if self.graphs else None
        if shape is None or not self._labels:
            logits = self._freely((ids, mask, types))
            self._labels = logits.shape[1]
        if shape is not None:  # the very first run too, so that what cannot be captured fails where it is opened
            logits = self._in_slot(shape, (ids, mask, types))
        return np.array(logits[: len(ids)], dtype=np.float32)

    def _freely(self, arrays: tuple[Ids, Ids, Ids]) -> NDArray[Any]:
        """In its own shape, without a graph."""
        binding = self.session.io_binding()
        for name, array in feed(self._inputs, arrays).items():
            binding.bind_cpu_input(name, np.ascontiguousarray(array))
        binding.bind_output("logits", self.device)
        self.session.run_with_iobinding(binding, self._no_graph)
        logits: NDArray[Any] = binding.copy_outputs_to_cpu()[0]
        return logits

    def _in_slot(self, shape: tuple[int, int], arrays: tuple[Ids, Ids, Ids]) -> NDArray[Any]:
        slot = self.slots.get(shape) or self._made(shape)
        rows, length = arrays[0].shape
        for one in self._inputs:
            host = slot.host[one.name]
            host[:] = self.pad_id if one.name == INPUTS[0] else 0
            host[:rows, :length] = arrays[one.place]
            if one.name == INPUTS[1]:
                host[rows:, 0] = 1  # a row that attends to nothing would be no number
            slot.device[one.name].update_inplace(host)
        self.session.run_with_iobinding(slot.binding, slot.options)
        logits: NDArray[Any] = slot.binding.copy_outputs_to_cpu()[0]
        return logits

    def _made(self, shape: tuple[int, int]) -> _Slot:
        value = onnxruntime().OrtValue
        host = {one.name: np.zeros(shape, dtype=one.kind) for one in self._inputs}
        device = {name: value.ortvalue_from_numpy(array.copy(), self.device) for name, array in host.items()}
        kind = np.float16 if self.session.get_outputs()[0].type == "tensor(float16)" else np.float32
        logits = value.ortvalue_from_shape_and_type((shape[0], self._labels), kind, self.device)
        binding = self.session.io_binding()
        for name, buffer in device.items():
            binding.bind_ortvalue_input(name, buffer)
        binding.bind_ortvalue_output("logits", logits)
        self.slots[shape] = slot = _Slot(binding, _options(str(len(self.slots))), host, device)
        return slot


def _options(graph: str) -> Any:
    """Of a run that captures and replays the CUDA graph of this number, or none."""
    options = onnxruntime().RunOptions()
    options.add_run_config_entry("gpu_graph_id", graph)
    return options
