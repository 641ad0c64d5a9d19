"""One line for each request, written some at a time: formatting and writing them singly costs more than answering.

A line holds the method, the route's pattern, the status, milliseconds and the request id; never an address or a text.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TextIO

NAME = "babelproof.service"
Line = tuple[str, str, int, float, str, float]
"""Method, route, status, seconds, request id, and when it was done (time.monotonic)."""


class RequestLog:
    """Lines that wait to be written."""

    def __init__(self, *, as_json: bool = False, stream: TextIO | None = None) -> None:
        self.lines: list[Line] = []
        self._as_json = as_json
        self._stream = stream

    def flush(self) -> None:
        """Write what waits."""
        lines, self.lines = self.lines, []
        if not lines:
            return
        offset, written, second, stamp = time.time() - time.monotonic(), [], -1, ""
        for line in lines:
            at = offset + line[5]
            if int(at) != second:
                second = int(at)
                stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
            method, route, status, seconds, request_id, _ = line
            when = f"{stamp},{int((at - second) * 1000):03d}"
            if self._as_json:
                written.append(_json(when, line))
            else:  # not in a function: it would be a call for every request
                written.append(f"{when} {NAME}: {method} {route} {status} {seconds * 1000:.1f} ms {request_id}\n")
        stream = self._stream or sys.stderr
        stream.write("".join(written))
        stream.flush()


def _json(stamp: str, line: Line) -> str:
    method, route, status, seconds, request_id, _ = line
    said = {"time": stamp, "level": "INFO", "logger": NAME, "method": method, "route": route, "status": status}
    return json.dumps({**said, "ms": round(seconds * 1000, 1), "request_id": request_id}) + "\n"
