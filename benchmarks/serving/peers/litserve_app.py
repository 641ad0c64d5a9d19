"""LitServe with batching; it drops what has waited longer than its time-out."""

from __future__ import annotations

import os
import sys
from typing import Any

import litserve

from benchmarks.serving.model import Model


class Api(litserve.LitAPI):
    """Texts in, labels out."""

    def setup(self, device: str) -> None:
        self.model = Model()

    # LitServe makes a query parameter of an annotated one
    def decode_request(self, request):  # type: ignore[no-untyped-def]
        return str(request["text"])

    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        return self.model(texts)

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        return output


if __name__ == "__main__":
    patience = int(os.environ["SERVED_OBJECTIVE_MS"]) / 1000
    api = Api(max_batch_size=32, batch_timeout=0.005)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1, timeout=patience)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), num_api_servers=1, generate_client_file=False)
