"""The same model in other precisions beside the graph that is served: fp32 as exported, fp16 fused for GPUs."""

from __future__ import annotations

import shutil
from pathlib import Path

import onnx
from onnxruntime.transformers.float16 import convert_float_to_float16
from onnxruntime.transformers.optimizer import optimize_model

from runtime.manifest import Onnx


def file_of(precision: str) -> str:
    """Its name in a model folder."""
    return f"model.{precision}.onnx"


def write_variants(folder: Path, exact: Onnx, wanted: tuple[Onnx, ...]) -> tuple[Onnx, ...]:
    """Write each wanted precision of the folder's fp32 graph beside it."""
    written = []
    for one in wanted:
        if one.precision == "fp32":
            shutil.copyfile(folder / exact.file, folder / file_of("fp32"))
            written.append(Onnx(file_of("fp32"), exact.opset, "fp32", exact.pad_id))
        elif one.precision == "fp16":
            onnx.save(half(folder / exact.file), folder / file_of("fp16"))
            written.append(Onnx(file_of("fp16"), exact.opset, "fp16", exact.pad_id))
        else:
            raise ValueError(f"{one.precision} graphs are not written beside another; keep fp32 or fp16")
    return tuple(written)


def half(path: Path) -> onnx.ModelProto:
    """A copy in 16-bit floats, attention and normalisation fused where their patterns are known; logits stay fp32."""
    fused = optimize_model(str(path), model_type="bert", opt_level=0)
    model: onnx.ModelProto = convert_float_to_float16(fused.model, keep_io_types=True, disable_shape_infer=True)
    return model
