"""OpenTelemetry traces, where a collector is set: a span a request, with its route and status; no address, no text."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from service.http.exchange import Exchange
from service.settings import Settings, SettingsError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

_LONGEST = 512
_FLUSH_MS = 2_000


class Traces:
    """Hands spans to a collector, in a thread of its own; drops them where it cannot keep up."""

    def __init__(self, processor: SpanProcessor, rate: float) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
        from opentelemetry.trace import SpanKind, Status, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        resource, sampler = Resource.create({"service.name": "babelproof"}), ParentBased(TraceIdRatioBased(rate))
        self._provider: TracerProvider = TracerProvider(sampler, resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("babelproof")
        self._propagator = TraceContextTextMapPropagator()
        self._server, self._failed = SpanKind.SERVER, Status(StatusCode.ERROR)

    def told(self, exchange: Exchange, method: str, seconds: float) -> None:
        """A request that has ended; where it has a `traceparent`, that says whether it is traced."""
        end = time.time_ns()
        names = (b"traceparent", b"tracestate")
        carried = {n.decode(): v.decode("latin-1")[:_LONGEST] for n in names if (v := exchange.headers.get(n))}
        said: dict[str, str | int] = {
            "http.request.method": method,
            "http.route": exchange.route,
            "http.response.status_code": exchange.status,
            "babelproof.request_id": exchange.request_id,
        }
        span = self._tracer.start_span(
            f"{method} {exchange.route}",
            context=self._propagator.extract(carried),
            kind=self._server,
            attributes=said,
            start_time=end - int(seconds * 1e9),
        )
        if exchange.status >= 500:
            span.set_status(self._failed)
        span.end(end)

    def close(self) -> None:
        """Hand on what waits, but not for ever."""
        self._provider.force_flush(_FLUSH_MS)
        self._provider.shutdown()


def traces(settings: Settings) -> Traces | None:
    """What traces requests; None where no collector is set, SettingsError where what it takes is not installed."""
    if settings.traces is None:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise SettingsError("BABELPROOF_TRACES: pip install -c constraints.txt -e '.[otel]'") from None
    if not settings.traces.startswith(("http://", "https://")) or not 0 <= settings.traces_rate <= 1:
        raise SettingsError(
            "BABELPROOF_TRACES is a collector's http(s) address, BABELPROOF_TRACES_RATE a share up to 1"
        )
    return Traces(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.traces, timeout=5)), settings.traces_rate)
