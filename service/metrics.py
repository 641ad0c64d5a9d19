"""The service's own metrics; every label takes its values from a list known in advance."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from service.metrics_files import REPLACEMENTS, reading

CONTENT_TYPE = CONTENT_TYPE_LATEST
REFUSALS = ("too_many_connections", "head_too_slow", "head_too_large", "bad_http", "too_many_pipelined")
"""Codes with which a connection is refused before there is a request."""
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """Counters of one worker; with a shared folder `render` adds up all workers."""

    def __init__(self, shared: Path | None = None) -> None:
        self._shared = shared
        self.registry = registry = CollectorRegistry()
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
        Counter(*REPLACEMENTS, registry=registry)  # the supervisor counts them: `bury`
        self.jobs = Counter("babelproof_jobs_ended", "Jobs that ended.", ["state"], registry=registry)
        self.refused = Counter(
            "babelproof_connections_refused", "Connections refused without a request.", ["code"], registry=registry
        )
        for state in ("done", "failed", "cancelled"):  # what is 0 is told too: else nobody sees the first grow
            self.jobs.labels(state)
        for code in REFUSALS:
            self.refused.labels(code)
        self._collectors: list[Collector] = []
        self.sources: list[Callable[[], None]] = []
        """Told before every flush: who counts elsewhere brings its counts here."""
        self._answers: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self._durations: defaultdict[str, list[float]] = defaultdict(_no_durations)
        self._texts: defaultdict[str, int] = defaultdict(int)
        self._truncated = 0

    def add(self, collector: Collector) -> None:
        """Have a collector asked at every scrape, of one worker only: what it says, all workers share."""
        self.registry.register(collector)
        self._collectors.append(collector)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answer: plain numbers, which `flush` hands on to Prometheus."""
        self._answers[route, method, status] += 1
        durations = self._durations[route]
        durations[bisect_left(_SECONDS, seconds)] += 1
        durations[-1] += seconds

    def classified(self, route: str, texts: int, truncated: int) -> None:
        """Count texts, likewise."""
        self._texts[route] += texts
        self._truncated += truncated

    def flush(self) -> None:
        """Hand the plain numbers on; of a worker that is killed the latest second is lost."""
        for (route, method, status), count in self._answers.items():
            self.requests.labels(route, method, str(status)).inc(count)
        self._answers.clear()
        for route, durations in self._durations.items():
            # the library offers nothing between one observation and all its inner values
            histogram = self.seconds.labels(route)
            for bucket, fell in zip(histogram._buckets, durations, strict=False):
                bucket.inc(fell)
            histogram._sum.inc(durations[-1])
        self._durations.clear()
        for route, texts in self._texts.items():
            self.texts.labels(route).inc(texts)
        self._texts.clear()
        self.truncated.inc(self._truncated)
        self._truncated = 0
        for bring in self.sources:
            bring()

    def render(self) -> bytes:
        """The text form of what was flushed, of all workers where they share a folder; any thread may ask."""
        if self._shared is None:
            return generate_latest(self.registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=str(self._shared))
        for collector in self._collectors:
            registry.register(collector)
        with reading(self._shared):
            return generate_latest(registry)


def _no_durations() -> list[float]:
    """A count for each bucket and the one above them all, then the sum of seconds."""
    return [0.0] * (len(_SECONDS) + 2)
