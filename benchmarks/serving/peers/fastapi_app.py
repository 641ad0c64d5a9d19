"""FastAPI with one route and no batching."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.serving.model import Model

app = FastAPI()
model = Model()


class Request(BaseModel):
    """A text."""

    text: str


@app.post("/predict")
def predict(request: Request) -> dict[str, Any]:
    return model([request.text])[0]
