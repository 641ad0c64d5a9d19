"""ONNX Runtime sessions: the right wheel, execution providers that really run, threads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

from runtime.manifest import ModelFolderError

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


class RuntimeMissingError(RuntimeError):
    """ONNX Runtime is not installed, or its wheels have overwritten one another."""


def onnxruntime() -> Any:
    """The onnxruntime module; RuntimeMissingError says what to reinstall when it is absent or broken."""
    if fault := wheel_fault():
        raise RuntimeMissingError(fault)
    import onnxruntime

    return onnxruntime


def wheel_fault() -> str | None:
    """What is wrong with the installed ONNX Runtime, or None.

    Its wheels share one folder and pip lets them overwrite one another, so installed metadata and module are compared.
    """
    owners = sorted(set(packages_distributions().get("onnxruntime", ())))
    if len(owners) > 1:
        return (
            f"{' and '.join(owners)} are both installed and overwrite one another; "
            f"uninstall them all, then install one: pip uninstall -y {' '.join(owners)}"
        )
    try:
        import onnxruntime
    except ImportError as error:
        return f"onnxruntime cannot be imported ({error}); pip install onnxruntime, or onnxruntime-gpu for CUDA"
    if not hasattr(onnxruntime, "InferenceSession"):
        return (
            "onnxruntime is half uninstalled (its folder is there, its content is not); "
            "pip install --force-reinstall onnxruntime, or onnxruntime-gpu for CUDA"
        )
    return None


def open_session(path: Path, providers: Sequence[str] | None = None, threads: int | None = None) -> Any:
    """An InferenceSession on the providers asked for, or on CUDA where it really works, else on the CPU."""
    ort = onnxruntime()
    available = ort.get_available_providers()
    wanted = list(providers) if providers is not None else [name for name in (CUDA, CPU) if name in available]
    if unknown := [name for name in wanted if name not in available]:
        raise RuntimeMissingError(f"no {', '.join(unknown)} in this ONNX Runtime; it has {', '.join(available)}")
    if CUDA in wanted and hasattr(ort, "preload_dlls"):
        ort.preload_dlls()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or _cpus()
    options.log_severity_level = 4  # a CUDA that cannot start is told below, once
    try:
        session = ort.InferenceSession(str(path), options, providers=wanted)
    except Exception as error:  # the library has no common base for its errors
        raise ModelFolderError(f"{path}: ONNX Runtime cannot open it ({error})") from None
    # it falls back to the CPU without a word
    if providers is not None and (lost := [name for name in wanted if name not in session.get_providers()]):
        raise RuntimeMissingError(
            f"{', '.join(lost)} could not start (driver, CUDA or cuDNN missing?); "
            f"only {', '.join(session.get_providers())} would run"
        )
    return session


def _cpus() -> int:
    """CPUs this process may use; ONNX Runtime itself would count those of the whole machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
