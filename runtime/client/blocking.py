"""The client for code that blocks."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import httpx

from runtime.client import calls, job_calls
from runtime.client.errors import WrongAnswer
from runtime.client.events import Event, Following, told
from runtime.client.exchange import Call, Patience, Send, address, exchange, headers, overdue, request

T = TypeVar("T")
P = ParamSpec("P")


class _Asks(Protocol):
    """What makes calls: a client, or a part of one."""

    @property
    def run(self) -> Callable[[Call[Any]], Any]: ...
    @property
    def follow(self) -> Callable[[Call[Any]], Generator[Event, None, None]]: ...


def _answered(make: Callable[P, Call[T]]) -> Callable[Concatenate[_Asks, P], T]:
    """The method that gives the answer to a call."""

    @wraps(make)
    def ask(self: _Asks, /, *args: P.args, **kwargs: P.kwargs) -> T:
        found: T = self.run(make(*args, **kwargs))
        return found

    return ask


def _told(make: Callable[P, Call[Any]]) -> Callable[Concatenate[_Asks, P], Generator[Event, None, None]]:
    """The method that gives the events of a call as they come."""

    @wraps(make)
    def tell(self: _Asks, /, *args: P.args, **kwargs: P.kwargs) -> Generator[Event, None, None]:
        return self.follow(make(*args, **kwargs))

    return tell


def _awaited(make: Callable[P, Call[T]]) -> Callable[Concatenate[_Asks, P], T]:
    """The method that follows a call to its last event, which is the answer."""

    @wraps(make)
    def wait(self: _Asks, /, *args: P.args, **kwargs: P.kwargs) -> T:
        call = make(*args, **kwargs)
        with closing(self.follow(call)) as events:
            for event in events:
                if (answer := told(call, event)) is not None:
                    return answer
        raise WrongAnswer(f"{call.path} ended without an answer")

    return wait


class Client:
    """A service at an address, over pooled connections; to be closed, or used in `with`. Safe in threads.

    key: sent as `Authorization: Bearer`. timeout: seconds a service may be silent. Raises RemoteError, of which Refused
    is what the service itself says no with.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        timeout: float = 60.0,
        patience: Patience | None = None,
        connections: int = 16,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url, self.patience = address(url), patience or Patience()
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._http = httpx.Client(headers=headers(key), timeout=timeout, limits=limits, transport=transport)
        self.jobs = Jobs(self)

    predict = _answered(calls.predict)
    detect = _answered(calls.detect)
    certify = _answered(calls.certify)
    probe = _awaited(calls.probe)
    probe_events = _told(calls.probe)
    models = _answered(calls.models)
    about = _answered(calls.about)

    def run(self, call: Call[T]) -> T:
        """The answer to a call."""
        steps = exchange(call, self.url, self.patience)
        try:
            step = next(steps)
            while True:
                step = steps.send(self._do(call, step))
        except StopIteration as done:
            found: T = done.value
            return found

    def follow(self, call: Call[Any]) -> Generator[Event, None, None]:
        """The events of a call up to its last."""
        following = Following(call, self.url, self.patience)
        while not following.ended:
            try:
                with self._http.stream(**request(call, self.url, following.headers)) as response:
                    if not response.is_success:
                        response.read()
                    if following.opened(response):
                        for chunk in response.iter_bytes():
                            yield from following.feed(chunk)
            except httpx.RequestError as error:
                following.broke(error)
            if not following.ended:
                time.sleep(following.wait())

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _do(self, call: Call[Any], step: Send | float) -> httpx.Response | httpx.RequestError | None:
        if not isinstance(step, Send):
            time.sleep(step)
            return None
        until = None if step.seconds is None else time.monotonic() + step.seconds
        try:
            with self._http.stream(**request(call, self.url, step.headers, step.seconds)) as response:
                if until is not None:
                    response.stream = _Bounded(response.stream, until)
                response.read()
                return response
        except httpx.RequestError as error:
            return error


class _Bounded(httpx.SyncByteStream):
    """The body of an answer, broken off at a time: httpx bounds each wait for a part of it alone."""

    def __init__(self, stream: Any, until: float) -> None:
        self._stream, self._until = stream, until

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            if time.monotonic() > self._until:
                raise overdue()
            yield part

    def close(self) -> None:
        self._stream.close()


class Jobs:
    """Batteries that run on the service, and outlive this client."""

    def __init__(self, client: Client) -> None:
        self.run, self.follow = client.run, client.follow

    submit = _answered(job_calls.submit)
    list = _answered(job_calls.jobs)
    get = _answered(job_calls.job)
    wait = _awaited(job_calls.followed)
    events = _told(job_calls.followed)
    result = _answered(job_calls.result)
    cancel = _answered(job_calls.cancel)
    delete = _answered(job_calls.delete)
