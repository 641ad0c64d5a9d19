"""What runs a graph: ONNX Runtime on a CPU or with CUDA, TensorRT, OpenVINO; all behind one interface."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from probes.registry import unknown
from runtime.backends.cuda import Cuda, TensorRt
from runtime.backends.graph import Backend, Choice, Ids
from runtime.backends.onnx_runtime import OnnxRuntime
from runtime.backends.open_vino import OpenVino
from runtime.manifest import Manifest
from runtime.session import BackendError

__all__ = ["KINDS", "Backend", "BackendError", "Choice", "Ids", "candidates", "find", "open_backend", "shipped"]


class Kind(Protocol):
    """A class of backends; opening one raises ModelFolderError, RuntimeMissingError or BackendError."""

    def __call__(self, path: Path, choice: Choice, threads: int | None = None) -> Backend: ...

    def fault(self) -> str | None: ...

    def precisions(self, stored: str) -> tuple[str, ...]: ...


KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (OnnxRuntime, OpenVino, Cuda, TensorRt)}
_ASKED_FOR = (TensorRt.name,)
"""Left out unless named."""
_BEST = ("bf16", "fp16", "fp32", "int8")
"""Which precision a backend is wanted for, unless it is the folder's own."""


def shipped(manifest: Manifest) -> Choice:
    """The folder's own graph on ONNX Runtime."""
    return Choice(OnnxRuntime.name, manifest.onnx.precision, manifest.onnx)


def candidates(manifest: Manifest, names: Collection[str] = ()) -> Iterator[Choice]:
    """Every graph of the folder on every backend that can be used here, or on those named. BackendError."""
    for name in names or (name for name in KINDS if name not in _ASKED_FOR):
        if name not in KINDS:
            raise BackendError(str(unknown("backend", name, KINDS)))
        if fault := KINDS[name].fault():
            if names:
                raise BackendError(f"{name}: {fault}")
            continue
        for graph in (manifest.onnx, *manifest.variants):
            for precision in KINDS[name].precisions(graph.precision):
                yield Choice(name, precision, graph)


def find(manifest: Manifest, wanted: str) -> Choice:
    """What NAME or NAME:PRECISION means for a folder; BackendError where it has no graph for that."""
    name, _, precision = wanted.partition(":")
    own = shipped(manifest)
    others = sorted(candidates(manifest, [name]), key=lambda one: _BEST.index(one.precision))
    can = list(dict.fromkeys([own] * (name == own.backend) + others))
    for choice in can:
        if precision in ("", choice.precision):
            return choice
    has = ", ".join(graph.precision for graph in (manifest.onnx, *manifest.variants))
    told = f"it could run {', '.join(map(str, can))}" if can else "no graph of this folder runs on it"
    raise BackendError(f"{wanted}: {told}; the folder has graphs in {has}; an export with `keep` writes more")


def open_backend(folder: Path, choice: Choice, threads: int | None = None) -> Backend:
    """A graph of a folder, open."""
    return KINDS[choice.backend](folder / choice.graph.file, choice, threads)
