"""Fakes for the driver: classifiers that are slow, shy or wrong, and a small server that speaks /predict."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from probes.types import Classifier, Example, Item, Probabilities
from tests.fakes import KeywordClassifier

TOPICS = {"other": (), "sports": ("team", "Mannschaft"), "health": ("doctor", "Arzt")}

topics = KeywordClassifier(TOPICS)


def make_topics() -> KeywordClassifier:
    return KeywordClassifier(TOPICS)


not_a_classifier = 7

EXAMPLES = (
    Example("en1", Item("The team won the last game of the season."), "en", "sports"),
    Example("en2", Item("A doctor told us that the medicine works."), "en", "health"),
    Example("en3", Item("The team came home without a single point."), "en", "health"),
    Example("de1", Item("Die Mannschaft hat gestern wieder gewonnen."), "de", "sports"),
    Example("zh1", Item("天气预报说明天会下雨。"), "zh", "other"),
)


class Failing:
    """Answers, until it has been asked so many times."""

    def __init__(self, inner: Classifier, after: Callable[[int], None]) -> None:
        self.labels = inner.labels
        self.calls = 0
        self._inner = inner
        self._after = after

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        self.calls += 1
        answer = self._inner(items)
        self._after(self.calls)
        return answer


class Constant:
    """Answers the same array whatever it is asked."""

    labels = ("a", "b")

    def __init__(self, answer: Sequence[Sequence[float]]) -> None:
        self._answer = np.array(answer, dtype=np.float32)

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        return self._answer


class FakeServer:
    """Speaks /about and /predict over a classifier; `script` holds the answers given before the true ones."""

    def __init__(self, classifier: Classifier, about: bool = True) -> None:
        self.classifier = classifier
        self.about = about
        self.script: list[tuple[int, dict[str, str], Any]] = []
        self.requests: list[Any] = []

    def answer(self, method: str, path: str, body: Any) -> tuple[int, dict[str, str], Any]:
        if self.script:
            return self.script.pop(0)
        if (method, path) == ("GET", "/about") and self.about:
            return 200, {}, {"model": {"name": "fake", "labels": list(self.classifier.labels)}}
        if (method, path) == ("POST", "/predict"):
            self.requests.append(body)
            labels, rows = self.classifier.labels, self.classifier([Item(*one) for one in body["inputs"]])
            scored = [[{"label": labels[i], "score": float(p)} for i, p in enumerate(row)] for row in rows]
            return 200, {}, [sorted(row, key=lambda one: -one["score"]) for row in scored]
        return 404, {}, {"error": "There is nothing at this address."}


@contextmanager
def serving(fake: FakeServer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, headers, found = fake.answer(self.command, self.path, body)
            content = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = handle_any

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
