"""The settings of the service; the one place that reads the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

PREFIX = "BABELPROOF_"


class SettingsError(ValueError):
    """A setting that cannot be used; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the model lies and how much one client may ask for; each field is BABELPROOF_<NAME> in the environment."""

    model: Path = Path("models/topics")
    """The model folder."""
    demo: Path = Path("examples/demo.jsonl")
    """The demo sentences of the page; the page does without when the file is missing."""
    threads: int = 0
    """ONNX Runtime threads of one worker; 0 shares the cores among the workers."""
    workers: int = 2
    """Processes, each with its own copy of the model; the others answer while a killed one restarts."""
    max_body_bytes: int = 2 * 1024 * 1024
    max_texts: int = 512
    """Texts in one request to /predict or /detect."""
    max_chars: int = 20_000
    """Characters (code points) of one text."""
    max_probe_texts: int = 512
    max_probe_steps: int = 64
    max_probe_draws: int = 50
    """Draws of one noise step for one text."""
    max_probe_budget: int = 2_000
    """Model calls of one attack on one text."""
    default_deadline_ms: int = 20_000
    max_deadline_ms: int = 120_000
    body_timeout_s: int = 30
    """Seconds a client may take to send its body."""
    predict_queue: int = 256
    """Requests to /predict held by one worker, running or waiting; the next one is told 429."""
    probe_queue: int = 8
    """Requests to /probe held by one worker; they run one at a time."""
    drain_s: int = 30
    """Seconds that running requests get after SIGTERM."""
    metrics_dir: Path | None = None
    """Where the workers keep the metrics they share; chosen by the supervisor."""
    supervisor: int = 0
    """Process id of the supervisor a worker must not outlive; 0 where there is none."""

    def environment(self) -> dict[str, str]:
        """The variables from which `read_settings` reads these settings again."""
        values = {PREFIX + field.name.upper(): getattr(self, field.name) for field in fields(self)}
        shared = {"PROMETHEUS_MULTIPROC_DIR": str(self.metrics_dir)} if self.metrics_dir else {}
        return {name: str(value) for name, value in values.items() if value is not None} | shared


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from BABELPROOF_* variables; SettingsError names an unknown or a malformed one."""
    environment = os.environ if environment is None else environment
    known = {PREFIX + field.name.upper(): field for field in fields(Settings)}
    values: dict[str, object] = {}
    if shared := environment.get("PROMETHEUS_MULTIPROC_DIR"):
        values["metrics_dir"] = Path(shared)
    for name, text in environment.items():
        if name in known and text:
            values[known[name].name] = _cast(name, text, str(known[name].type))
    return Settings(**values)  # type: ignore[arg-type]


def process_environment(settings: Settings, home: Path) -> dict[str, str]:
    """The environment of a worker: this process's, the settings, a private BentoML home, no usage reports."""
    return {
        **os.environ,
        **settings.environment(),
        "BENTOML_HOME": os.environ.get("BENTOML_HOME", str(home)),
        "BENTOML_DO_NOT_TRACK": "True",
        "TOKENIZERS_PARALLELISM": "true",
    }


def _cast(name: str, text: str, kind: str) -> object:
    if kind != "int":
        return Path(text)
    try:
        number = int(text)
    except ValueError:
        raise SettingsError(f"{name} must be a whole number, not {text!r}") from None
    if number < 0 or (number == 0 and name not in (PREFIX + "THREADS", PREFIX + "SUPERVISOR")):
        raise SettingsError(f"{name} must be positive, not {number}")
    return number
