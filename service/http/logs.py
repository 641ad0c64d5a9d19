"""Log lines as text or JSON: no words of clients in them, and no floods of the same failure.

The lines of requests come from `request_log`, in the same two forms.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TextIO

_QUIET_S = 60.0
_KINDS = 500
_NUMBER = re.compile(r"\d+")
_OURS = ("babelproof", "uvicorn", "uvicorn.error", "bentoml", "bentoml_cli")


def set_up(form: str, stream: TextIO | None = None) -> None:
    """Have this process log in one form on one stream; a form that is none counts as text."""
    handler = Quiet(stream or sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in _OURS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate, logger.disabled = True, False
        logger.setLevel(logging.INFO if name == "babelproof" else logging.WARNING)
    # its lines quote addresses with their query, as clients sent them
    logging.getLogger("uvicorn.access").disabled = True


def failure(log: logging.Logger, request_id: str, error: BaseException) -> None:
    """Tell of a failure by its type and place: its message may quote a text."""
    place = "".join(traceback.format_tb(error.__traceback__))
    kind = f"{type(error).__name__}\n{place}"
    log.error("request %s failed with %s", request_id, kind, extra={"kind": kind})


class Quiet(logging.StreamHandler[TextIO]):
    """Tells a warning or an error once a minute, with how many more there were; all else always."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream)
        self._clock = clock
        self._told: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()
        """When each kind was told last, oldest first, and how many were not since."""

    def emit(self, record: logging.LogRecord) -> None:
        now = self._clock()
        self._catch_up(now)
        if record.levelno >= logging.WARNING:
            kind = record.name, _NUMBER.sub("#", getattr(record, "kind", record.getMessage()))
            if kind in self._told:
                since, more = self._told[kind]
                self._told[kind] = since, more + 1
                return
            self._told[kind] = now, 0
        super().emit(record)

    def _catch_up(self, now: float) -> None:
        """Say how many there were of what is older than a minute, and forget it."""
        while self._told:
            (name, kind), (since, more) = next(iter(self._told.items()))
            if now - since < _QUIET_S and len(self._told) <= _KINDS:
                return
            del self._told[name, kind]
            if more:
                said = "%d more in %.0f s like: %s"
                first = kind.splitlines()[0] if kind else ""
                super().emit(logging.LogRecord(name, logging.WARNING, "", 0, said, (more, now - since, first), None))


class _Discreet(logging.Formatter):
    """Says the type and the place of an exception, never its message."""

    def formatException(self, ei: Any) -> str:
        kind, _, trace = ei
        return "".join(traceback.format_tb(trace)) + kind.__name__

    def said(self, record: logging.LogRecord) -> str:
        """The message; of asyncio's the first line, for the others quote what tasks held."""
        message = record.getMessage()
        return message.split("\n", 1)[0] if record.name == "asyncio" else message


class _Text(_Discreet):
    def format(self, record: logging.LogRecord) -> str:
        lines = f"{self.formatTime(record)} {record.name}: {self.said(record)}"
        return f"{lines}\n{self.formatException(record.exc_info)}" if record.exc_info else lines


class _Json(_Discreet):
    def format(self, record: logging.LogRecord) -> str:
        line = {"time": self.formatTime(record), "level": record.levelname, "logger": record.name}
        line["message"] = self.said(record)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
