"""The machine a model runs on: the CPUs this process may use, what they can do, and the versions that run on them."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_ROOT = Path("/")
_KERNELS = re.compile(r"avx|amx|fma|sse4_2|asimd|sve|i8mm|bf16|fphp")
"""Flags by which kernels are chosen; the others say nothing of speed."""
_PACKAGES = ("onnxruntime", "onnxruntime-gpu", "openvino")


def usable_cpus(root: Path = _ROOT) -> int:
    """CPUs this process may use: those of its affinity, and no more than its cgroup's quota pays for; at least one.

    ONNX Runtime and OpenVINO would count those of the whole machine.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([allowed, *(int(quota) for quota in quotas(root))]))


def share(workers: int) -> int:
    """Threads of one of several workers that divide the CPUs among them."""
    return max(1, usable_cpus() // max(1, workers))


def cpu_flags(root: Path = _ROOT) -> tuple[str, ...]:
    """Instruction sets by which kernels are chosen, sorted; empty where the system does not tell."""
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", _read(root / "proc/cpuinfo"), re.MULTILINE)
    return tuple(sorted(filter(_KERNELS.search, found[1].split()))) if found else ()


def describe(threads: int) -> dict[str, str]:
    """What a measurement of speed holds for: processor, instruction sets, threads, versions."""
    name = re.search(r"^model name\s*:\s*(.*)$", _read(_ROOT / "proc/cpuinfo"), re.MULTILINE)
    found = {"processor": name[1] if name else platform.machine(), "flags": " ".join(cpu_flags())}
    return found | {"threads": str(threads)} | {name: told for name in _PACKAGES if (told := _version(name))}


def quotas(root: Path) -> Iterator[float]:
    """CPUs paid for by this process's cgroup and those around it (version 2), or by the container (version 1)."""
    groups = root / "sys/fs/cgroup"
    own = next((line[3:] for line in _read(root / "proc/self/cgroup").splitlines() if line.startswith("0::")), "/")
    inside = groups / own.strip("/")
    for folder in (inside, *inside.parents):
        if folder.is_relative_to(groups):
            yield from _quota(*_read(folder / "cpu.max").split())
    yield from _quota(_read(groups / "cpu/cpu.cfs_quota_us"), _read(groups / "cpu/cpu.cfs_period_us"))


def _quota(*said: str) -> Iterator[float]:
    """Quota and period in microseconds as CPUs; "max", -1 and nothing at all set no bound."""
    numbers = [int(number) for number in said if re.fullmatch(r"\s*\d+\s*", number)]
    if len(numbers) == 2 and numbers[1]:
        yield numbers[0] / numbers[1]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
