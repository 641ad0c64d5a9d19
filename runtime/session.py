"""ONNX Runtime sessions: the right wheel, execution providers that really run, threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

from runtime.machine import usable_cpus
from runtime.manifest import ModelFolderError

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
Provider = str | tuple[str, Mapping[str, str]]
"""An execution provider's name, or its name and options."""


class BackendError(RuntimeError):
    """A backend that is not there or cannot do what was asked; the message says what to do."""


class RuntimeMissingError(BackendError):
    """ONNX Runtime is not installed, or its wheels have overwritten one another."""


def onnxruntime() -> Any:
    """The onnxruntime module; RuntimeMissingError says what to reinstall when it is absent or broken."""
    if fault := wheel_fault():
        raise RuntimeMissingError(fault)
    import onnxruntime

    return onnxruntime


@cache
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


def open_session(path: Path, providers: Sequence[Provider] | None = None, threads: int | None = None) -> Any:
    """An InferenceSession on the providers asked for, or on CUDA where it really works, else on the CPU."""
    ort = onnxruntime()
    available = ort.get_available_providers()
    wanted = list(providers) if providers is not None else [name for name in (CUDA, CPU) if name in available]
    names = [one if isinstance(one, str) else one[0] for one in wanted]
    if unknown := [name for name in names if name not in available]:
        raise RuntimeMissingError(f"no {', '.join(unknown)} in this ONNX Runtime; it has {', '.join(available)}")
    if CUDA in names and hasattr(ort, "preload_dlls"):
        ort.preload_dlls()
    try:
        session = ort.InferenceSession(str(path), session_options(threads), providers=wanted)
    except Exception as error:  # the library has no common base for its errors
        raise ModelFolderError(f"{path}: ONNX Runtime cannot open it ({error})") from None
    # it falls back to the CPU without a word
    if providers is not None and (lost := [name for name in names if name not in session.get_providers()]):
        raise RuntimeMissingError(
            f"{', '.join(lost)} could not start (driver, CUDA or cuDNN missing?); "
            f"only {', '.join(session.get_providers())} would run"
        )
    return session


def session_options(threads: int | None = None) -> Any:
    """How a session uses the machine: `threads` of its own, or every CPU this process may use.

    Who says how many shares the CPUs with others, so its idle threads sleep; alone they spin, which answers sooner.
    """
    options = onnxruntime().SessionOptions()
    options.intra_op_num_threads = threads or usable_cpus()
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0" if threads else "1")
    # a plan of memory would be kept for every shape ever seen; the arena is reused, and without it memory creeps up
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = True
    options.log_severity_level = 4  # a CUDA that cannot start is told once, by open_session
    return options
