"""The service's own metrics; every label takes its values from a list known in advance."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """Counters of one worker; with a shared folder `render` adds up all workers."""

    def __init__(self, shared: Path | None = None) -> None:
        self._shared = shared
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "babelproof_requests", "Requests answered.", ["route", "method", "status"], registry=registry
        )
        self.seconds = Histogram(
            "babelproof_request_seconds", "Time from head to last byte.", ["route"], registry=registry, buckets=_SECONDS
        )
        self.in_progress = Gauge(
            "babelproof_requests_in_progress", "Requests under way.", registry=registry, multiprocess_mode="livesum"
        )
        self.texts = Counter("babelproof_texts", "Texts classified for clients.", ["route"], registry=registry)
        self.truncated = Counter("babelproof_texts_truncated", "Texts cut to the model's length.", registry=registry)
        self.probe_outcomes = Counter(
            "babelproof_probe_outcomes", "What probes of clients' texts found.", ["lang", "status"], registry=registry
        )

    def render(self) -> bytes:
        """The text form, of all workers where they share a folder."""
        if self._shared is None:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=str(self._shared))
        return generate_latest(registry)
