"""BentoML with its adaptive batching, as its users write it."""

from __future__ import annotations

from typing import Any

import bentoml

from benchmarks.serving.model import Model


@bentoml.service(name="naive", traffic={"timeout": 60})
class Naive:
    """One model, one batchable route."""

    def __init__(self) -> None:
        self.model = Model()

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=1000)
    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        return self.model(texts)
