"""Messages between a worker and its prober: a line of JSON, and behind it as many bytes as the line says."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from typing import Any

_MOST_HEAD = 64 * 1024
_MOST_BODY = 256 * 1024 * 1024

Message = tuple[dict[str, Any], bytes]


class ChannelClosed(ConnectionError):
    """The other side is gone, or says what is no message."""


class Channel:
    """One end; several threads may send, one receives."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._file = end.makefile("rb")
        self._sending = threading.Lock()

    def send(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Send a message, waiting until the other side has room for it."""
        line = json.dumps(head | {"size": len(body)}, separators=(",", ":")).encode() + b"\n"
        if len(line) > _MOST_HEAD or len(body) > _MOST_BODY:
            raise ValueError(f"a message of {len(line)} and {len(body)} bytes is too large for the channel")
        try:
            with self._sending:
                self._end.sendall(line + body)
        except OSError as error:
            raise ChannelClosed(str(error)) from None

    def receive(self) -> Message:
        """The next message, waiting for it."""
        try:
            line = self._file.readline(_MOST_HEAD)
            head = json.loads(line) if line.endswith(b"\n") else None
            if not isinstance(head, dict) or not 0 <= head["size"] <= _MOST_BODY:
                raise ChannelClosed("the other side is gone")
            body = self._file.read(head["size"])
        except (OSError, ValueError, KeyError) as error:
            raise ChannelClosed(str(error)) from None
        if len(body) < head["size"]:
            raise ChannelClosed("the other side went in the middle of a message")
        return head, body

    def end(self) -> None:
        """End both directions, so that whoever receives is told."""
        with suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End it, and let it go."""
        self.end()
        self._file.close()
        self._end.close()
