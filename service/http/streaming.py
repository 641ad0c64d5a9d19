"""Answers that come bit by bit, and whether they may be packed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

_WEIGHTS = re.compile(r"(?:^|,)\s*(gzip|\*)\s*(?:;\s*q=([0-9.]+)\s*)?(?=,|$)")


class Streaming(StreamingResponse):
    """An answer that comes bit by bit; HEAD has its head alone. `ended` is called once, however it ends."""

    def __init__(self, content: AsyncIterator[bytes], ended: Callable[[], None] = lambda: None, **options: Any) -> None:
        super().__init__(content, **options)
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["method"] != "HEAD":
                return await super().__call__(scope, receive, send)
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._ended()


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding wants gzip: it is named, or everything is, and not with a weight of 0."""
    weights = dict(_WEIGHTS.findall(accepted.lower()))
    weight = weights.get("gzip", weights.get("*", "0")) or "1"
    return weight.strip("0.") != ""
