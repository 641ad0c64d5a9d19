"""A torch model to an ONNX graph, by optimum or by torch, and its portable clean-up."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from inspect import signature
from pathlib import Path
from typing import Any

import onnxruntime
import torch


def optimise(path: Path) -> None:
    """Fold constants and drop what does nothing; the fusions are left to the machine that serves.

    Offline fusions bring nothing on the CPU, where ONNX Runtime fuses at load, and hide weights from `quantise`.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path.with_suffix(".optimised"))
    options.log_severity_level = 3
    onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=["MatMulAddFusion"]
    )
    os.replace(path.with_suffix(".optimised"), path)


def to_onnx(model: Any, tokenizer: Any, path: Path) -> None:
    """Write the graph, batch and sequence free: by optimum where it knows the architecture, else by torch."""
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as scratch:
        warnings.simplefilter("ignore")  # the tracer's remarks on shapes; the gate judges the result
        if _optimum_knows(model.config.model_type):
            from optimum.exporters.onnx import onnx_export_from_model

            onnx_export_from_model(model=model, output=Path(scratch), task="text-classification", do_validation=False)
            shutil.move(Path(scratch) / "model.onnx", path)
        else:
            _trace(model, tokenizer, path)


def _optimum_knows(model_type: str) -> bool:
    try:
        from optimum.exporters.onnx import model_configs as _registered  # noqa: F401
        from optimum.exporters.tasks import TasksManager

        return "text-classification" in TasksManager.get_supported_tasks_for_model_type(
            model_type, "onnx", library_name="transformers"
        )
    except (ImportError, KeyError):
        return False


class _Logits(torch.nn.Module):
    """A model called with named inputs in a fixed order, answering logits alone."""

    def __init__(self, model: Any, names: Sequence[str]) -> None:
        super().__init__()
        self.model, self.names = model, tuple(names)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.model(**dict(zip(self.names, inputs, strict=True))).logits
        return logits


def _trace(model: Any, tokenizer: Any, path: Path) -> None:
    taken = signature(model.forward).parameters
    names = [name for name in ("input_ids", "attention_mask", "token_type_ids")
             if name in taken and name in tokenizer.model_input_names]  # fmt: skip
    example = tokenizer(["a b c", "a"], ["b", "c d"], padding=True, return_tensors="pt")
    torch.onnx.export(
        _Logits(model, names).eval(),
        tuple(example[name] for name in names),
        str(path),
        input_names=names,
        output_names=["logits"],
        dynamic_axes={name: {0: "batch", 1: "sequence"} for name in names} | {"logits": {0: "batch"}},
        opset_version=18,
        dynamo=False,
    )
