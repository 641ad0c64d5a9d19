"""What each graph on each backend makes of the same batches, against the shipped int8 graph on ONNX Runtime."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TypedDict

import numpy as np
from transformers import AutoTokenizer

from probes.types import Example
from runtime.backends import Backend, candidates, open_backend
from runtime.machine import usable_cpus
from runtime.manifest import Manifest, Onnx, read
from training import head
from training.export import write_model

ROUNDS = 9
SHAPES = ((1, 16), (1, 64), (8, 32), (32, 32), (32, 128))
"""Rows and tokens of a batch."""
_TOKENS = 4096
"""Padded tokens of one measurement: small batches are run again until they make as many."""


class Ratio(TypedDict):
    """Tokens per second over those of the shipped graph: median, lowest and highest of the rounds."""

    way: str
    ratio: float
    low: float
    high: float


def measure(encoder: Path, examples: Sequence[Example], threads: int | None = None) -> list[Ratio]:
    """Every candidate in turn on every shape, ROUNDS times after one round to warm up.

    The model is the encoder under a head that nobody trained, which is as fast as another.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = _made(encoder, examples, Path(scratch) / "model")
        opened = {
            f"{choice} ({choice.graph.precision} graph)": open_backend(folder, choice, threads or usable_cpus())
            for choice in candidates(read(folder))
        }
        return [one for shape in SHAPES for one in _ratios(opened, shape)]


def _ratios(opened: dict[str, Backend], shape: tuple[int, int]) -> list[Ratio]:
    rounds = [{name: _seconds(one, shape) for name, one in opened.items()} for _ in range(ROUNDS + 1)][1:]
    shipped = next(iter(opened))
    ratios = {name: sorted(times[shipped] / times[name] for times in rounds) for name in opened}
    return [
        Ratio(way=f"{shape[0]} x {shape[1]}: {name}", ratio=median(values), low=values[0], high=values[-1])
        for name, values in ratios.items()
    ]


def _seconds(backend: Backend, shape: tuple[int, int]) -> float:
    ids = np.random.default_rng(0).integers(5, 5000, shape)
    mask, types = np.ones_like(ids), np.zeros_like(ids)
    start = time.perf_counter()
    for _ in range(max(1, _TOKENS // ids.size)):
        backend.run(ids, mask, types)
    return time.perf_counter() - start


def _made(encoder: Path, examples: Sequence[Example], folder: Path) -> Path:
    labels = tuple(sorted({str(example.label) for example in examples}))
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    model = head.build(str(encoder), labels, pooling="mean", dropout=0.0, seed=1, tokenizer=tokenizer).eval()
    said = Manifest(labels=labels, languages=("und",), max_length=128, encoder=encoder.name, licence="none",
                    onnx=Onnx(precision="int8"), variants=(Onnx(precision="fp32"), Onnx(precision="fp16")))  # fmt: skip
    write_model(model, tokenizer, folder, said, examples[:20])
    return folder
