"""Ray Serve with its batching; its proxy gives up what takes longer than its time-out, wherever it waits."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import ray
from ray import serve
from starlette.requests import Request

from benchmarks.serving.model import Model


@serve.deployment(max_ongoing_requests=1000)
class Topics:
    """One replica."""

    def __init__(self) -> None:
        self.model = Model()

    @serve.batch(max_batch_size=32, batch_wait_timeout_s=0.005)
    async def answer(self, texts: list[str]) -> list[dict[str, Any]]:
        return self.model(texts)

    async def __call__(self, request: Request) -> dict[str, Any]:
        answer: dict[str, Any] = await self.answer((await request.json())["text"])
        return answer


if __name__ == "__main__":
    ray.init(num_cpus=1, include_dashboard=False, logging_level="error")
    patience = int(os.environ["SERVED_OBJECTIVE_MS"]) / 1000
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1]), "request_timeout_s": patience})
    serve.run(Topics.bind(), route_prefix="/predict")
    while True:
        time.sleep(3600)
