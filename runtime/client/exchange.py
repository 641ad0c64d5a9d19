"""One call from first try to answer: what to send, how long to wait, when to give up. No input or output of its own."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeVar

import httpx

from runtime.client.errors import Late, Refused, RemoteError, Unreachable, WrongAnswer

T = TypeVar("T")
OnProgress = Callable[[int, int | None], None]
"""Called with what is done and what is wanted, as far as that is known."""
REFUSED = frozenset({429})
"""Said before anything was done."""
BUSY = REFUSED | {502, 503, 504}
_GRACE = 1.0
"""Seconds a request may take beyond its deadline."""
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a call is tried, and how long is waited in between, in seconds.

    The first wait is doubled each time up to the longest; where the service says Retry-After, that counts, up to asked.
    """

    tries: int = 6
    first: float = 0.5
    longest: float = 30.0
    asked: float = 600.0


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request to the service and what its answer is read as.

    deadline_ms is for the whole call, waits included; the service is told what is left. once: never sent again where
    the first may have had its effect, as after a connection broke.
    """

    method: str
    path: str
    read: Callable[[httpx.Response], T]
    body: Any = None
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    deadline_ms: int | None = None
    once: bool = False
    last: Callable[[Any], T] | None = None
    """Of a call that is followed by its events: what the last one is read as."""
    tell: OnProgress | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """Send the call now: with these headers beside its own, and no longer than so many seconds."""

    headers: Mapping[str, str]
    seconds: float | None


Steps = Generator[Send | float, httpx.Response | httpx.RequestError | None, T]
"""What a client is to do, one after the other: send, and say what came of it; or wait so many seconds."""


def exchange(call: Call[T], url: str, patience: Patience) -> Steps[T]:
    """The steps of a call up to what its answer is read as; RemoteError of some kind where there is none."""
    until = None if call.deadline_ms is None else time.monotonic() + call.deadline_ms / 1000
    trouble, last, late = "", None, False
    for attempt in range(patience.tries):
        answer = yield _send(until)
        wait = min(patience.first * 2**attempt, patience.longest)
        if isinstance(answer, httpx.Response):
            if answer.status_code not in (REFUSED if call.once else BUSY):
                return call.read(answer)
            trouble, last = f"status {answer.status_code}", refusal(answer)
            wait = min(retry_after(answer, wait), patience.asked)
        elif answer is not None:
            trouble = broken(answer, url, call.once)
        if late := until is not None and time.monotonic() + wait >= until:
            break
        if attempt + 1 < patience.tries:
            yield wait
    if late:
        raise Late(f"{url} did not answer in {call.deadline_ms} ms ({trouble})", last)
    raise Unreachable(f"{url} could not be reached in {patience.tries} tries ({trouble})", last)


def address(url: str) -> str:
    """The address without a slash at its end; RemoteError where it is none."""
    try:
        if httpx.URL(url).scheme in ("http", "https"):
            return url.rstrip("/")
    except httpx.InvalidURL as error:
        raise RemoteError(f"{url} is no address: {error}") from error
    raise RemoteError(f"{url} is no address; one begins with http:// or https://")


def request(call: Call[Any], url: str, more: Mapping[str, str], seconds: float | None = None) -> dict[str, Any]:
    """What httpx is to send, with more headers; seconds: how long it may be silent, if not as long as ever.

    A lone surrogate, which UTF-8 cannot hold, is sent as U+FFFD: the service would read it as that.
    """
    sent: dict[str, Any] = {"method": call.method, "url": url + call.path, "params": call.params}
    sent["headers"] = {**call.headers, **more}
    if call.body is not None:
        said = json.dumps(call.body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        sent["content"] = _SURROGATES.sub("\ufffd", said).encode()
        sent["headers"] |= {"Content-Type": "application/json"}
    return sent if seconds is None else sent | {"timeout": seconds}


def overdue() -> httpx.ReadTimeout:
    """What a connection is broken off with that is never silent for long, and never done."""
    return httpx.ReadTimeout("no whole answer in time")


def headers(key: str | None) -> dict[str, str]:
    """Those of every request."""
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def broken(error: httpx.RequestError, url: str, once: bool = False) -> str:
    """What broke a connection; RemoteError where trying again is not safe."""
    said = f"{type(error).__name__}: {error}"
    if once and not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        raise RemoteError(f"the connection to {url} broke, and the request may have had its effect ({said})") from error
    return said


def decoded(response: httpx.Response) -> Any:
    """The JSON of an answer; Refused, or WrongAnswer where it is none."""
    try:
        found = response.json()
    except ValueError:
        found = None
    if response.is_success and found is not None:
        return found
    if response.is_success:
        raise WrongAnswer(f"{where(response)} answered status {response.status_code}: no JSON")
    raise refusal(response)


def refusal(response: httpx.Response) -> Refused:
    """What the service said in place of an answer."""
    try:
        found = response.json()
    except ValueError:
        found = None
    said = found if isinstance(found, dict) else {}
    code, sentence, number = (str(said.get(key, "")) for key in ("code", "error", "request_id"))
    return Refused(where(response), response.status_code, code, sentence or "no JSON", number)


def where(response: httpx.Response) -> str:
    """The request that was answered."""
    return f"{response.request.method} {response.request.url}"


def retry_after(response: httpx.Response, otherwise: float) -> float:
    """Seconds to wait: the header has seconds or a date, and a second one milliseconds."""
    said, exact = (response.headers.get(name, "") for name in ("Retry-After", "Retry-After-Ms"))
    try:
        return max(0.0, float(exact) / 1000 if exact else float(said))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return otherwise


def _send(until: float | None) -> Send:
    """With a deadline the service hears what is left of it; a little longer is waited, for it to refuse by itself."""
    if until is None:
        return Send({}, None)
    left = max(0.001, until - time.monotonic())
    return Send({"X-Deadline-Ms": str(max(1, round(1000 * left)))}, left + _GRACE)
