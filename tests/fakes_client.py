"""Both clients, asked by one function each, before scripted answers or a server that takes its time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from runtime.client import AsyncClient, Client, Patience

QUICK = Patience(tries=3, first=0.001)
SCORES = [[{"label": "a", "score": 0.75, "new key": 1}, {"label": "b", "score": 0.25}]]
Handler = Callable[[httpx.Request], httpx.Response]


class Script:
    """Answers in their order, an exception being raised; the last again and again. Keeps what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers, self.asked = list(answers), list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def blocking(script: Handler | str, use: Callable[[Any], Any], **options: Any) -> Any:
    with Client(**_at(script), **{"patience": QUICK, **options}) as client:
        found = use(client)
        return list(found) if isinstance(found, Iterator) else found


def awaiting(script: Handler | str, use: Callable[[Any], Any], **options: Any) -> Any:
    async def used() -> Any:
        async with AsyncClient(**_at(script), **{"patience": QUICK, **options}) as client:
            found = use(client)
            return [one async for one in found] if hasattr(found, "__aiter__") else await found

    return asyncio.run(used())


both = pytest.mark.parametrize("ask", [blocking, awaiting])


def _at(script: Handler | str) -> dict[str, Any]:
    """What a client is made with for answers out of a script, or from an address."""
    if isinstance(script, str):
        return {"url": script}
    return {"url": "http://test/", "transport": httpx.MockTransport(script)}


@contextmanager
def dripping(content: bytes, every: float) -> Iterator[str]:
    """The address of a server that answers with this JSON, a byte at a time and so many seconds between."""

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            try:
                for byte in content:
                    self.wfile.write(bytes([byte]))
                    time.sleep(every)
            except OSError:  # the client has gone
                self.close_connection = True

        def log_message(self, *said: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
