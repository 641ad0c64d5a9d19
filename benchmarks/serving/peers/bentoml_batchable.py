"""BentoML with its adaptive batching, as its users write it; it drops what would come after its latency."""

from __future__ import annotations

import os
from typing import Any

import bentoml

from benchmarks.serving.model import Model


@bentoml.service(name="naive", traffic={"timeout": 60})
class Naive:
    """One model, one batchable route."""

    def __init__(self) -> None:
        self.model = Model()

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=int(os.environ["SERVED_OBJECTIVE_MS"]))
    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        return self.model(texts)
