"""A graph on CUDA with bound buffers and CUDA graphs, or compiled by TensorRT; neither has been run on a GPU yet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from runtime.backends.bound import BoundSession
from runtime.backends.graph import Choice, Ids
from runtime.backends.onnx_runtime import session_inputs
from runtime.manifest import ModelFolderError
from runtime.session import CPU, CUDA, Provider, onnxruntime, open_session, wheel_fault

TENSORRT = "TensorrtExecutionProvider"
_ROWS, _LENGTH = 512, 512
"""The largest batch TensorRT is told of; one beyond it is compiled for when it comes."""


class Cuda:
    """16-bit or 32-bit floats on a GPU."""

    name = "cuda"

    def __init__(self, path: Path, choice: Choice, threads: int | None = None) -> None:
        self.precision = choice.precision
        # a captured graph remembers its buffers, and an arena that grows by doubling holds twice what they need
        settings = {"enable_cuda_graph": "1", "arena_extend_strategy": "kSameAsRequested"}
        try:
            session = open_session(path, [(CUDA, settings), CPU], threads)
            graphs = True
        except ModelFolderError:  # a graph with nodes on the CPU cannot be captured
            session = open_session(path, [(CUDA, {**settings, "enable_cuda_graph": "0"}), CPU], threads)
            graphs = False
        self._bound = BoundSession(session, choice.graph.pad_id, graphs=graphs)
        self.providers: tuple[str, ...] = tuple(session.get_providers())

    @staticmethod
    def fault() -> str | None:
        """Why it cannot be used here, or None; whether there is a GPU shows when a graph is opened."""
        return _missing(CUDA)

    @staticmethod
    def precisions(stored: str) -> tuple[str, ...]:
        """What a stored graph can be computed in: integers of ours have no kernel there."""
        return (stored,) if stored in ("fp16", "fp32") else ()

    def run(self, ids: Ids, mask: Ids, types: Ids) -> NDArray[np.float32]:
        return self._bound.run(ids, mask, types)


class TensorRt:
    """The fp32 graph compiled to 16-bit engines, which are kept; compiling takes minutes, so it must be asked for."""

    name = "tensorrt"

    def __init__(self, path: Path, choice: Choice, threads: int | None = None) -> None:
        self.precision = choice.precision
        names = [one.name for one in session_inputs(open_session(path, [CPU], threads))]
        session = open_session(path, [(TENSORRT, tensorrt_options(names)), CUDA, CPU], threads)
        self._bound = BoundSession(session, choice.graph.pad_id, graphs=False)
        self.providers: tuple[str, ...] = tuple(session.get_providers())

    @staticmethod
    def fault() -> str | None:
        """Why it cannot be used here, or None."""
        return _missing(TENSORRT)

    @staticmethod
    def precisions(stored: str) -> tuple[str, ...]:
        """What a stored graph can be computed in; it fuses by itself, and cannot read what was fused for CUDA."""
        return ("fp16",) if stored == "fp32" else ()

    def run(self, ids: Ids, mask: Ids, types: Ids) -> NDArray[np.float32]:
        return self._bound.run(ids, mask, types)


def tensorrt_options(names: list[str]) -> Mapping[str, str]:
    """Engines in fp16 for every shape the service makes, kept in the user's cache."""

    def shapes(rows: int, length: int) -> str:
        return ",".join(f"{name}:{rows}x{length}" for name in names)

    return {
        "trt_fp16_enable": "1",
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(user_cache_path("babelproof") / "tensorrt"),
        "trt_profile_min_shapes": shapes(1, 1),
        "trt_profile_opt_shapes": shapes(32, 64),
        "trt_profile_max_shapes": shapes(_ROWS, _LENGTH),
    }


def _missing(provider: str) -> str | None:
    if fault := wheel_fault():
        return fault
    has: list[Provider] = onnxruntime().get_available_providers()
    return None if provider in has else f"this ONNX Runtime has no {provider}; install onnxruntime-gpu in its place"
