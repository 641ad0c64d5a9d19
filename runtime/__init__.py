"""The served model: its folder and manifest, tokenisation, ONNX Runtime sessions, batching by padded area."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runtime.manifest import Manifest, ModelFolderError

if TYPE_CHECKING:
    from runtime.classifier import OnnxClassifier

# Read when ONNX Runtime is imported: from 1.29 on its Linux wheels tell their maker what is run, unless told not to.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__all__ = ["Manifest", "ModelFolderError", "load"]


def load(
    folder: str | Path,
    *,
    providers: Sequence[str] | None = None,
    threads: int | None = None,
    backend: str = "shipped",
) -> OnnxClassifier:
    """Verify a model folder and open it; ModelFolderError names what is wrong with it.

    `providers` are ONNX Runtime execution providers (default: CUDA if it really works, else CPU);
    `threads` is the number of threads of one run on the CPU (default: the CPUs this process may use).
    `backend` is shipped (the folder's own graph), tuned (what `babelproof tune` found for this machine), or NAME or
    NAME:PRECISION such as openvino:bf16, which raises BackendError where it cannot be had.
    """
    from runtime.classifier import OnnxClassifier

    if backend == "shipped":
        return OnnxClassifier(folder, providers=providers, threads=threads)
    from runtime.tuned import choose

    choice = choose(Path(folder), backend, threads=threads)
    return OnnxClassifier(folder, threads=threads, choice=choice)
