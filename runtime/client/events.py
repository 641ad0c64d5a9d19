"""Server-sent events: an answer that stays open, and how to go on where its connection broke."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from runtime.client.answers import Progress, read
from runtime.client.errors import Refused, Unreachable, WrongAnswer
from runtime.client.exchange import BUSY, Call, Patience, broken, refusal, retry_after, where

T = TypeVar("T")
MEDIA_TYPE = "text/event-stream"
LONGEST = 64 * 1024 * 1024
"""Bytes; what is longer is no event of this service."""
ENDED = "the connection ended"
_LAST = frozenset({"result", "done", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Event:
    """What is told as it happens: a kind, decoded JSON, and the number after which one may go on."""

    kind: str
    data: Any
    number: int | None = None


def told(call: Call[T], event: Event) -> T | None:
    """What a call answers, once its last event is there; before that its progress is told."""
    if event.kind in _LAST and call.last is not None:
        return call.last(event.data)
    if event.kind == "progress" and call.tell is not None:
        found = event.data.get("progress", event.data) if isinstance(event.data, dict) else None
        progress = read(Progress, found, call.path)
        call.tell(progress.done, progress.wanted)
    return None


class Following:
    """The events of a call, over as many connections as that takes; a numbered event starts the patience anew.

    What a client does: open with these headers, show `opened` the answer and, where that says so, `feed` its bytes; at
    its end, or when it breaks, wait so many seconds and open again, until `ended`.
    """

    def __init__(self, call: Call[Any], url: str, patience: Patience) -> None:
        self.call, self.ended = call, False
        self._url, self._patience = url, patience
        self._number: int | None = None
        self._line: list[bytes] = []
        self._fields: dict[str, list[str]] = {}
        self._size, self._tries, self._asked, self._trouble = 0, 0, 0.0, ENDED
        self._refusal: Refused | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Those of the next connection."""
        last = {} if self._number is None else {"Last-Event-ID": str(self._number)}
        return {"Accept": MEDIA_TYPE, **last}

    def opened(self, response: httpx.Response) -> bool:
        """Whether events follow; Refused where the service says no. Of any other answer the body has been read."""
        self._restart()
        if response.status_code == httpx.codes.NO_CONTENT:
            self.ended = True
        elif response.status_code in BUSY:
            self._trouble, self._refusal = f"status {response.status_code}", refusal(response)
            self._asked = retry_after(response, 0.0)
        elif not response.is_success:
            raise refusal(response)
        elif not response.headers.get("content-type", "").startswith(MEDIA_TYPE):
            raise WrongAnswer(f"{where(response)} answered no events")
        else:
            return True
        return False

    def broke(self, error: httpx.RequestError) -> None:
        """Note what a connection broke with."""
        self._trouble = broken(error, self._url, self.call.once)

    def wait(self) -> float:
        """Seconds until the next connection; Unreachable where there have been enough."""
        self._tries += 1
        if self._tries >= self._patience.tries:
            said = f"{self._url} could not be followed in {self._patience.tries} tries ({self._trouble})"
            raise Unreachable(said, self._refusal)
        usual = min(self._patience.first * 2 ** (self._tries - 1), self._patience.longest)
        return min(max(self._asked, usual), self._patience.asked)

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """The events that bytes complete. Lines end at line feeds alone: a text may hold U+2028 as it is."""
        head, feed, rest = chunk.partition(b"\n")
        self._size += len(head)
        if self._size > LONGEST:
            raise WrongAnswer(f"{self._url} sent an event of more than {LONGEST} bytes")
        self._line.append(head)
        while feed:
            if (event := self._read(b"".join(self._line).rstrip(b"\r"))) is not None:
                yield event
            head, feed, rest = rest.partition(b"\n")
            self._line = [head]
            self._size += len(head)

    def _read(self, line: bytes) -> Event | None:
        """What a line completes: an empty one an event."""
        if line:
            name, _, value = line.decode("utf-8", "replace").partition(":")
            self._fields.setdefault(name, []).append(value.removeprefix(" "))
            return None
        fields, self._fields, self._size = self._fields, {}, 0
        if "data" not in fields:
            return None
        kind, number = fields.get("event", ["message"])[-1], fields.get("id", [""])[-1]
        try:
            data = json.loads("\n".join(fields["data"]))
        except ValueError:
            raise WrongAnswer(f"{self._url} sent an event that is no JSON") from None
        if kind == "error":
            self._refusal = self._refused(data)
            if self._number is None:
                raise self._refusal
            return None  # the connection ends here; the answer to the next one says whether to go on
        self._number = int(number) if number.isdecimal() else self._number
        self.ended = kind in _LAST
        if number:  # what cannot go on where it was begins anew, and not for ever
            self._calm()
        return Event(kind, data, self._number if number else None)

    def _refused(self, data: Any) -> Refused:
        said = data if isinstance(data, dict) else {}
        code, sentence, request = (str(said.get(key, "")) for key in ("code", "error", "request_id"))
        return Refused(f"{self.call.method} {self._url}{self.call.path}", 200, code, sentence, request)

    def _restart(self) -> None:
        """A new connection begins with a new line."""
        self._line, self._size, self._fields = [], 0, {}

    def _calm(self) -> None:
        """Nothing is wrong."""
        self._tries, self._asked, self._trouble, self._refusal = 0, 0.0, ENDED, None
