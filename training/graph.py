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

OPSET = 18


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
    """Write the graph, batch and sequence free: by optimum, or by torch where optimum is not installed."""
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as scratch:
        warnings.simplefilter("ignore")  # the tracer's remarks on shapes; the gate judges the result
        try:
            known = _optimum_knows(model.config.model_type)
        except ImportError:
            _trace(model, tokenizer, path)
            return
        if known:
            from optimum.exporters.onnx import onnx_export_from_model

            onnx_export_from_model(model=model, output=Path(scratch), task="text-classification", do_validation=False)
            shutil.move(Path(scratch) / "model.onnx", path)
        else:
            _describe_and_export(model, tokenizer, path)


def _optimum_knows(model_type: str) -> bool:
    from optimum.exporters.onnx import model_configs as _registered  # noqa: F401
    from optimum.exporters.tasks import TasksManager

    try:
        tasks = TasksManager.get_supported_tasks_for_model_type(model_type, "onnx", library_name="transformers")
    except KeyError:
        return False
    return "text-classification" in tasks


def _input_names(model: Any, tokenizer: Any) -> list[str]:
    taken = signature(model.forward).parameters
    names = ("input_ids", "attention_mask", "token_type_ids")
    return [name for name in names if name in taken and name in tokenizer.model_input_names]


def _describe_and_export(model: Any, tokenizer: Any, path: Path) -> None:
    """An architecture that optimum has no description of, our pooled head among them: its inputs are described here."""
    from optimum.exporters.onnx import export
    from optimum.exporters.onnx.config import TextEncoderOnnxConfig
    from optimum.utils import NormalizedTextConfig

    names = _input_names(model, tokenizer)

    class Description(TextEncoderOnnxConfig):
        NORMALIZED_CONFIG_CLASS = NormalizedTextConfig

        @property
        def inputs(self) -> dict[str, dict[int, str]]:
            return {name: {0: "batch_size", 1: "sequence_length"} for name in names}

    export(model, Description(model.config, task="text-classification"), path, opset=OPSET)


class _Logits(torch.nn.Module):
    """A model called with named inputs in a fixed order, answering logits alone."""

    def __init__(self, model: Any, names: Sequence[str]) -> None:
        super().__init__()
        self.model, self.names = model, tuple(names)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.model(**dict(zip(self.names, inputs, strict=True))).logits
        return logits


def _trace(model: Any, tokenizer: Any, path: Path) -> None:
    names = _input_names(model, tokenizer)
    example = tokenizer(["a b c", "a"], ["b", "c d"], padding=True, return_tensors="pt")
    torch.onnx.export(
        _Logits(model, names).eval(),
        tuple(example[name] for name in names),
        str(path),
        input_names=names,
        output_names=["logits"],
        dynamic_axes={name: {0: "batch", 1: "sequence"} for name in names} | {"logits": {0: "batch"}},
        opset_version=OPSET,
        dynamo=False,
    )
