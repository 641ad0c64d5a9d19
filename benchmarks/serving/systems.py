"""The systems measured: how each is started, how a text is put to it, where its label stands."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PEERS = ROOT / ".venv-peers"
OURS = "babelproof"


@dataclass(frozen=True, slots=True)
class System:
    """A server. `command` may hold {python}, {bin}, {port}, {model}, {work} and {most}.

    {work} is an empty folder it may write to; {most} how many requests at once it should hold at most to keep the
    objective, for those that can be told no time.
    """

    name: str
    command: tuple[str, ...]
    body: Callable[[str], Any]
    label: Callable[[Any], str]
    path: str = "/predict"
    environment: str = ""
    """The folder of .venv-peers it lives in; this one where empty."""
    headers: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Path, Path], None] | None = None
    """Called with the model folder and {work} before it starts; it is then started in {work}."""
    counts: tuple[str, ...] = ()
    """In its /metrics: requests it admitted, and those of them it dropped."""
    objective_ms: int = 0
    """Milliseconds after which an answer is of no use."""

    @property
    def python(self) -> Path:
        return PEERS / self.environment / "bin" / "python" if self.environment else Path(sys.executable)

    @property
    def installed(self) -> bool:
        return self.python.is_file()

    def request(self, text: str, host: str) -> bytes:
        """One HTTP/1.1 request, as it goes over the wire."""
        body = json.dumps(self.body(text), ensure_ascii=False).encode()
        headers = {"Host": host, "Content-Type": "application/json", "Content-Length": str(len(body)), **self.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {self.path} HTTP/1.1\r\n{head}\r\n".encode() + body


def systems(objective_ms: int) -> dict[str, System]:
    """All of them by name, each told the objective by what it has for that: docs/results/serving.md says how."""
    found = (
        System(
            OURS,
            ("{python}", "-m", "service", "--model", "{model}", "--port", "{port}", "--workers", "1"),
            lambda text: {"inputs": text},
            lambda answer: str(answer[0]["label"]),
            headers={"X-Deadline-Ms": str(objective_ms)},
            counts=("babelproof_engine_requests_total", "babelproof_engine_shed_total"),
        ),
        System(
            "BentoML batchable",
            (
                *("{python}", "-m", "bentoml", "serve", "benchmarks.serving.peers.bentoml_batchable:Naive"),
                *("--host", "127.0.0.1", "--port", "{port}"),
            ),
            lambda text: {"texts": [text]},
            lambda answer: str(answer[0]["label"]),
        ),
        System(
            "FastAPI",
            (
                *("{python}", "-m", "uvicorn", "benchmarks.serving.peers.fastapi_app:app", "--log-level", "warning"),
                *("--port", "{port}", "--limit-concurrency", "{most}"),
            ),
            lambda text: {"text": text},
            lambda answer: str(answer["label"]),
            environment="fastapi",
        ),
        System(
            "LitServe",
            ("{python}", "-m", "benchmarks.serving.peers.litserve_app", "{port}"),
            lambda text: {"text": text},
            lambda answer: str(answer["label"]),
            environment="litserve",
        ),
        System(
            "MLServer",
            ("{python}", "-m", "benchmarks.serving.peers.mlserver_model", "{port}"),
            lambda text: {"inputs": [{"name": "text", "shape": [1, 1], "datatype": "BYTES", "data": [text]}]},
            lambda answer: str(answer["outputs"][0]["data"][0]),
            path="/v2/models/topics/infer",
            environment="mlserver",
        ),
        System(
            "Ray Serve",
            ("{python}", "-m", "benchmarks.serving.peers.ray_app", "{port}"),
            lambda text: {"text": text},
            lambda answer: str(answer["label"]),
            environment="ray",
        ),
        System(
            "infinity",
            (
                *("env", "INFINITY_QUEUE_SIZE={most}", "{python}", "{bin}/infinity_emb", "v2"),
                *("--model-id", ".", "--served-model-name", "topics"),
                *("--engine", "optimum", "--device", "cpu", "--port", "{port}", "--host", "127.0.0.1"),
                *("--no-model-warmup", "--no-trust-remote-code", "--batch-size", "32", "--log-level", "error"),
            ),
            lambda text: {"input": [text], "model": "topics"},
            lambda answer: str(max(answer["data"][0], key=lambda one: one["score"])["label"]),
            path="/classify",
            environment="infinity",
            prepare=_hugging_face,
        ),
    )
    return {system.name: replace(system, objective_ms=objective_ms) for system in found}


def _hugging_face(model: Path, work: Path) -> None:
    """The same graph and tokenizer in the folder layout that infinity's ONNX engine reads."""
    manifest = json.loads((model / "manifest.json").read_text(encoding="utf-8"))
    encoder = ROOT / "models" / "encoder"
    config = json.loads((encoder / "config.json").read_text(encoding="utf-8"))
    labels = dict(enumerate(manifest["labels"]))
    config |= {"id2label": labels, "label2id": {label: at for at, label in labels.items()}}
    config |= {"architectures": ["DebertaV2ForSequenceClassification"], "problem_type": "single_label_classification"}
    (work / "config.json").write_text(json.dumps(config), encoding="utf-8")
    for path in encoder.glob("*token*"):
        shutil.copy(path, work)
    shutil.copy(model / "tokenizer.json", work)
    shutil.copy(model / manifest["onnx"]["file"], work / "model.onnx")
