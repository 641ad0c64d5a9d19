"""What is installed, what the machine offers, and what in it would get in the way."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec

import runtime
from probes.types import Item
from runtime import machine
from runtime.backends.open_vino import OpenVino
from runtime.session import BackendError, wheel_fault

NEEDED = ("numpy", "scipy", "regex", "py3langid", "tokenizers", "httpx", "jinja2", "pydantic", "rich", "typer")
SERVING = ("bentoml", "starlette", "prometheus_client")
TRAINING = ("torch", "transformers", "optimum")
OURS = ("probes", "runtime", "training")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; ok is None where it is only said, and advice says what to do about it."""

    name: str
    ok: bool | None
    found: str
    advice: str = ""


def examine(model: str | None = None) -> Iterator[Check]:
    """Every check, and those of a model folder if one is given."""
    yield Check("python", sys.version_info >= (3, 11), platform.python_version(), "babelproof needs Python 3.11")
    for package in NEEDED:
        yield _package(package, "pip install -c constraints.txt -e .")
    for package in SERVING:
        yield _package(package, "needed by `babelproof serve`: pip install -c constraints.txt -e .", needed=False)
    for package in TRAINING:
        advice = "needed by babelproof-train and import: pip install -c constraints.txt -e '.[train]'"
        yield _package(package, advice, needed=False)
    owners = packages_distributions()
    yield onnxruntime(wheel_fault())
    yield from (_owner(name, owners.get(name, [])) for name in OURS)
    yield openvino(machine.cpu_flags())
    yield Check("cores", None, f"{machine.usable_cpus()} of {os.cpu_count()} usable")
    if model is not None:
        yield model_folder(model)


def onnxruntime(fault: str | None) -> Check:
    """What is wrong with ONNX Runtime, as every start would say it, or what it can run on."""
    if fault is not None:
        found, _, advice = fault.rpartition("; ")
        return Check("onnxruntime", False, found, advice)
    module = import_module("onnxruntime")
    providers = ", ".join(module.get_available_providers())
    return Check("onnxruntime", True, f"{module.__version__}, built for {providers}")


def openvino(flags: Collection[str]) -> Check:
    """Whether the second backend is there, and whether this CPU computes in 16 or 8 bits, for which it is wanted."""
    fast = [flag for flag in ("amx_bf16", "amx_int8", "avx512_bf16", "avx512_vnni", "avx_vnni") if flag in flags]
    told = f"this CPU has {', '.join(fast) or 'no short arithmetic'}"
    if (fault := OpenVino.fault()) is None:
        return Check("openvino", True, f"{version('openvino')}; {told}; `babelproof tune MODEL` says what it is worth")
    wanted = bool({"amx_bf16", "avx512_bf16"}.intersection(fast))
    return Check("openvino", None, f"not installed; {told}", fault if wanted else "")


def model_folder(folder: str) -> Check:
    """Whether a model folder is what its manifest says, and answers."""
    try:
        classifier = runtime.load(folder)
    except runtime.ModelFolderError as error:
        return Check("model", False, str(error), "restore the folder, or make it again with `babelproof import`")
    except (BackendError, ImportError) as error:
        return Check("model", False, str(error), "the folder was not tried; mend the installation first")
    try:
        answer = classifier([Item("?")])[0]
        found = f"{folder}: every file as in its manifest; it answers {', '.join(classifier.labels)}"
        return Check("model", bool(abs(float(answer.sum()) - 1) < 1e-3), found, "its probabilities do not sum to one")
    finally:
        classifier.close()


def _package(name: str, advice: str, needed: bool = True) -> Check:
    distribution = {"prometheus_client": "prometheus-client"}.get(name, name)
    if find_spec(name) is None:
        return Check(name, False if needed else None, "not installed", advice)
    try:
        return Check(name, True, version(distribution))
    except PackageNotFoundError:
        return Check(name, True, "there, of unknown version")


def _owner(name: str, owners: list[str]) -> Check:
    others = sorted(set(owners) - {"babelproof"})
    if not others:
        return Check(name, True, "babelproof's own")
    advice = f"pip uninstall -y {' '.join(others)}, then install babelproof again, in an environment of its own"
    return Check(name, False, f"also shipped by {', '.join(others)}", advice)
