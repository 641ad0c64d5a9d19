"""Traces: none unless a collector is set, then a span a request that says nothing of its text."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from runtime.classifier import OnnxClassifier
from service.http.traces import traces
from service.settings import Settings, SettingsError
from tests.fakes_interface import SETTINGS, client

exporting = pytest.mark.skipif(
    importlib.util.find_spec("opentelemetry.exporter") is None, reason="the extra otel is not installed"
)
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{}"


@contextmanager
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A collector on this machine, and what it was sent."""
    sent: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/traces", sent
    server.shutdown()
    thread.join()
    server.server_close()


def test_there_are_none_by_default() -> None:
    assert traces(Settings()) is None


@exporting
@pytest.mark.parametrize("settings", [Settings(traces="localhost:4318"), Settings(traces="http://a", traces_rate=2)])
def test_a_setting_that_cannot_be_is_named(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="BABELPROOF_TRACES"):
        traces(settings)


@exporting
async def test_a_request_is_a_span_under_its_caller_and_quotes_nothing(served: OnnxClassifier) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    with collector() as (address, sent):
        async with client(served, replace(SETTINGS, traces=address, traces_rate=0.0)) as http:
            await http.get("/livez")
            await http.post("/predict", json={"inputs": "a vote"}, headers={"traceparent": PARENT.format("00")})
            wanted = {"traceparent": PARENT.format("01"), "X-Request-Id": "r1"}
            await http.post("/predict?secret=1", json={"inputs": "Unaussprechlich"}, headers=wanted)
            await http.post("/predict", json={"inputs": "a vote"}, headers={"traceparent": "nonsense" * 1000})
    [message] = sent
    assert b"Unaussprechlich" not in message and b"secret" not in message
    request = ExportTraceServiceRequest.FromString(message)
    [span] = [span for one in request.resource_spans for scope in one.scope_spans for span in scope.spans]
    assert (span.name, span.trace_id.hex()) == ("POST /predict", PARENT.split("-")[1])
    assert span.parent_span_id.hex() == PARENT.split("-")[2]
    said = {one.key: one.value.string_value or one.value.int_value for one in span.attributes}
    assert said["http.route"] == "/predict" and said["http.response.status_code"] == 200
    assert said["babelproof.request_id"] == "r1"
    assert 0 < span.end_time_unix_nano - span.start_time_unix_nano < 60e9
