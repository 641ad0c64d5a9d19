"""The settings of the service; the one place that reads the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path

PREFIX = "BABELPROOF_"
_NEVER_EMPTY = (PREFIX + "KEYS", PREFIX + "KEYS_INLINE")
TEMPORARY = "tmp"
"""The folder in the home of a service where its workers put what is temporary; BentoML never clears its own away."""
# of tests and benchmarks, and what Kubernetes and Docker tell of a service that is called babelproof
_OTHERS = re.compile("VICTIM|DATA|SCREENSHOTS|TEST_TRACES|SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?|PORT(_[0-9]+_[A-Z_]+)?")


class SettingsError(ValueError):
    """A setting that cannot be used; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the model lies and how much one client may ask for; each field is BABELPROOF_<NAME> in the environment."""

    model: Path = Path("models/topics")
    """The model folder."""
    models: str = ""
    """Several models, `name=folder` with commas between them, in place of `model`; the first is the default."""
    shadow: str = ""
    """A candidate for a model, `name=folder`, likewise; it answers a sample of the live texts too, to be compared."""
    shadow_rate: float = 0.1
    """Share of the texts that the candidate answers too."""
    shadow_tolerated: float = 0.02
    """Share of texts labelled otherwise up to which a candidate counts as the same."""
    demo: Path = Path("examples/demo.jsonl")
    """The demo sentences of the page; the page does without when the file is missing."""
    threads: int = 0
    """CPU threads of one model copy; 0 shares the usable cores among the workers."""
    backend: str = "tuned"
    """shipped, tuned (what `babelproof tune` found), auto (measured at the start if never), or a backend's name."""
    cache: Path | None = None
    """Where measurements of backends are kept; else the user's cache folder."""
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
    predict_queue: int = 4096
    """Texts that one worker holds for one model, running or waiting; a request that goes beyond is told 429."""
    max_robustness_rows: int = 1_024
    """Texts and their variants in one request to /predict with robustness."""
    max_certify_texts: int = 16
    max_certify_chars: int = 2_000
    """Characters of one text to certify."""
    max_certify_samples: int = 10_000
    """Copies of one text to certify."""
    certify_queue: int = 4
    """Requests to /certify held by one worker; they run one at a time."""
    probe_queue: int = 8
    """Requests to /probe held by one worker; they run one at a time."""
    state: Path = Path("state")
    """What outlives the service: jobs, and which models are served; a folder that all its workers share."""
    jobs_url: str = ""
    """The database of jobs, as SQLAlchemy writes it; empty is an SQLite file in the state folder."""
    max_job_body_bytes: int = 8 * 1024 * 1024
    """Bytes of a request to /batteries."""
    max_job_texts: int = 10_000
    max_job_calls: int = 1_000_000
    """Model calls of one job: its texts times the draws of noise and the budgets of attacks."""
    max_job_chars: int = 100_000_000
    """Characters of one job: its texts times the draws of its battery."""
    max_jobs_waiting: int = 100
    """Jobs that wait or run, those of all workers together."""
    max_jobs_bytes: int = 1024 * 1024 * 1024
    """What texts, outcomes and reports of all jobs may take, compressed."""
    prober_priority: str = "idle"
    """idle: probing has what nobody else wants; low: a little on a busy machine too; normal: it takes its share."""
    max_streams: int = 64
    """Streams of events that one worker keeps open."""
    jobs_kept: int = 1_000
    """Jobs that have ended and are kept; the oldest are deleted, with their texts."""
    jobs_kept_days: int = 7
    """The same by age."""
    lease_s: int = 15
    """Seconds without a sign of life after which a job is taken over."""
    lame_duck_s: float = 2.0
    """Seconds after SIGTERM for which requests are still taken while /readyz says to send them elsewhere."""
    drain_s: int = 30
    """Seconds after SIGTERM and the lame duck; requests get all but the last 8, in which jobs are handed back."""
    keys: Path | None = None
    """The file of API keys; without one everybody may use everything, so listen on the loopback address only."""
    keys_inline: str = ""
    """The same keys as the text of such a file, in its place."""
    metrics_open: bool = False
    """Whether /metrics is answered without a key where keys are used."""
    cors_origins: str | None = None
    """Origins (https://host, with commas between them) whose pages may call this service from a browser."""
    tls_cert: Path | None = None
    """Certificate chain (PEM); with `tls_key` the service speaks HTTPS."""
    tls_key: Path | None = None
    log_format: str = "text"
    """text, or json: one JSON object a line."""
    traces: str | None = None
    """Where OpenTelemetry spans go by OTLP, such as http://localhost:4318/v1/traces; by default there are none."""
    traces_rate: float = 0.1
    """Share of requests that are traced, where the caller's `traceparent` does not say."""
    header_timeout_s: int = 10
    """Seconds the head of a request may take to arrive, and a connection may say nothing."""
    write_timeout_s: int = 30
    """Seconds a client may take nothing of an answer that waits for it."""
    max_header_bytes: int = 32_768
    max_connections: int = 1_000
    """Connections of one worker; one more is told 503 at once."""
    live_rate: float = 0.0
    """Share of the texts of /predict that are also probed, after they were answered; 0 is none."""
    live_probes: str = "swap,drop,homoglyph,case,diacritics,whitespace"
    """Perturbations with commas between them, or the name of a battery of noise."""
    live_languages: str | None = None
    """Languages to probe live, with commas between them; by default all."""
    live_budget: int = 600
    """Model calls a minute that live probing may make, all workers together."""
    live_window: int = 1_000
    """Texts of the latest and of the first window, between which drift is measured."""
    metrics_dir: Path | None = None
    """Where the workers keep the metrics they share; chosen by the supervisor."""
    supervisor: int = 0
    """Process id of the supervisor a worker must not outlive; 0 where there is none."""

    @property
    def keyed(self) -> bool:
        """Whether clients need a key."""
        return bool(self.keys or self.keys_inline)

    def environment(self) -> dict[str, str]:
        """The variables from which `read_settings` reads these settings again."""
        values = {PREFIX + field.name.upper(): getattr(self, field.name) for field in fields(self)}
        shared = {"PROMETHEUS_MULTIPROC_DIR": str(self.metrics_dir)} if self.metrics_dir else {}
        return {name: str(value) for name, value in values.items() if value not in (None, "")} | shared


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
        elif name in _NEVER_EMPTY:
            raise SettingsError(f"{name} is empty; name the keys, or unset it to let everybody use everything")
        elif name.startswith(PREFIX) and name not in known and not _OTHERS.fullmatch(name.removeprefix(PREFIX)):
            near = get_close_matches(name, known, 1)
            raise SettingsError(f"{name} is no setting" + (f"; {near[0]} is one" if near else ""))
    return Settings(**values)  # type: ignore[arg-type]


def process_environment(settings: Settings, home: Path) -> dict[str, str]:
    """The environment of a worker: this process's, the settings, a home that ends with the service."""
    return {
        **child_environment(settings),
        "BENTOML_HOME": os.environ.get("BENTOML_HOME", str(home)),
        "BENTOML_DO_NOT_TRACK": "True",
        "TMPDIR": str(home / TEMPORARY),
        "TOKENIZERS_PARALLELISM": "true",
    }


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment of a process that reads these settings again: this process's and them."""
    return {**os.environ, **settings.environment()}


def _cast(name: str, text: str, kind: str) -> object:
    """The value of a variable; a number whose default is 0 may be 0, any other is positive."""
    kind = kind.removesuffix(" | None")
    if kind == "str":
        return text
    if kind == "bool":
        return _truth(name, text)
    if kind not in ("int", "float"):
        return Path(text)
    try:
        number = int(text) if kind == "int" else float(text)
    except ValueError:
        raise SettingsError(f"{name} must be a {'whole ' * (kind == 'int')}number, not {text!r}") from None
    default = getattr(Settings(), name.removeprefix(PREFIX).lower())
    if not 0 <= number < float("inf") or (number == 0 and default != 0):
        raise SettingsError(f"{name} must be positive, not {text}")
    return number


def _truth(name: str, text: str) -> bool:
    said = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(text.lower())
    if said is None:
        raise SettingsError(f"{name} must be true or false, not {text!r}")
    return said
