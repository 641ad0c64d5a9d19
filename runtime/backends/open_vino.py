"""A graph on OpenVINO: bfloat16 on CPUs that have it, out of the fp32 file; the extra `openvino`."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.backends.graph import Choice, Ids, feed, inputs
from runtime.machine import usable_cpus
from runtime.manifest import ModelFolderError
from runtime.session import BackendError

_HINTS = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}
"""The precision of what a graph leaves in floating point."""
_TELEMETRY = "openvino_telemetry"
_INSTALL = "pip install -c constraints.txt -e '.[openvino]'"


class OpenVino:
    """A graph compiled for this CPU, with a request of its own for every call at a time."""

    name = "openvino"

    def __init__(self, path: Path, choice: Choice, threads: int | None = None) -> None:
        self.precision = choice.precision
        self.providers: tuple[str, ...] = ("OpenVINO CPU",)
        core = _core()
        try:
            model = core.read_model(str(path))
            settings = {
                "INFERENCE_PRECISION_HINT": _HINTS[choice.precision],
                "INFERENCE_NUM_THREADS": threads or usable_cpus(),
                "NUM_STREAMS": 1,
                # workers that pin their threads pin them to the same cores
                "ENABLE_CPU_PINNING": False,
                # what was prepared for shapes seen before: of 5000 things unless said, and memory grows to hold them
                "CPU_RUNTIME_CACHE_CAPACITY": 256,
            }
            self._compiled = core.compile_model(model, "CPU", settings)
        except RuntimeError as error:
            raise ModelFolderError(f"{path}: OpenVINO cannot open it ({str(error).strip()})") from None
        taken = {node.any_name: node.element_type.get_type_name() for node in self._compiled.inputs}
        self._inputs = inputs(taken, [node.any_name for node in self._compiled.outputs])
        self._idle: LifoQueue[Any] = LifoQueue()

    @staticmethod
    def fault() -> str | None:
        """Why it cannot be used here, or None."""
        return None if find_spec("openvino") else f"openvino is not installed; {_INSTALL}"

    @staticmethod
    def precisions(stored: str) -> tuple[str, ...]:
        """What a stored graph can be computed in here."""
        if stored == "fp32":
            capable = "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
            return ("bf16", "fp32") if capable else ("fp32",)
        return (stored,) if stored == "int8" else ()

    def run(self, ids: Ids, mask: Ids, types: Ids) -> NDArray[np.float32]:
        try:
            request = self._idle.get_nowait()
        except Empty:
            request = self._compiled.create_infer_request()
        try:
            answer = request.infer(feed(self._inputs, (ids, mask, types)), share_inputs=True, share_outputs=True)
            return np.array(answer["logits"], dtype=np.float32)  # a copy: the request is used again
        finally:
            self._idle.put(request)


@lru_cache(1)
def _core() -> Any:
    """OpenVINO's core; its package reports every import to its makers unless their reporting cannot be imported."""
    if fault := OpenVino.fault():
        raise BackendError(fault)
    before = sys.modules.get(_TELEMETRY)
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
    try:
        from openvino import Core
    except ImportError as error:
        raise BackendError(f"openvino cannot be imported ({error}); {_INSTALL}") from None
    finally:
        if before is None:
            del sys.modules[_TELEMETRY]
        else:
            sys.modules[_TELEMETRY] = before
    return Core()
