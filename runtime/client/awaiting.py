"""The client for code that awaits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
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
    def run(self) -> Callable[[Call[Any]], Awaitable[Any]]: ...
    @property
    def follow(self) -> Callable[[Call[Any]], AsyncGenerator[Event, None]]: ...


def _answered(make: Callable[P, Call[T]]) -> Callable[Concatenate[_Asks, P], Awaitable[T]]:
    """The method that gives the answer to a call."""

    @wraps(make)
    async def ask(self: _Asks, /, *args: P.args, **kwargs: P.kwargs) -> T:
        found: T = await self.run(make(*args, **kwargs))
        return found

    return ask


def _told(make: Callable[P, Call[Any]]) -> Callable[Concatenate[_Asks, P], AsyncGenerator[Event, None]]:
    """The method that gives the events of a call as they come."""

    @wraps(make)
    def tell(self: _Asks, /, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[Event, None]:
        return self.follow(make(*args, **kwargs))

    return tell


def _awaited(make: Callable[P, Call[T]]) -> Callable[Concatenate[_Asks, P], Awaitable[T]]:
    """The method that follows a call to its last event, which is the answer."""

    @wraps(make)
    async def wait(self: _Asks, /, *args: P.args, **kwargs: P.kwargs) -> T:
        call = make(*args, **kwargs)
        async with aclosing(self.follow(call)) as events:
            async for event in events:
                if (answer := told(call, event)) is not None:
                    return answer
        raise WrongAnswer(f"{call.path} ended without an answer")

    return wait


class AsyncClient:
    """A service at an address, over pooled connections; to be closed, or used in `async with`.

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
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.url, self.patience = address(url), patience or Patience()
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._http = httpx.AsyncClient(headers=headers(key), timeout=timeout, limits=limits, transport=transport)
        self.jobs = Jobs(self)

    predict = _answered(calls.predict)
    detect = _answered(calls.detect)
    certify = _answered(calls.certify)
    probe = _awaited(calls.probe)
    probe_events = _told(calls.probe)
    models = _answered(calls.models)
    about = _answered(calls.about)

    async def run(self, call: Call[T]) -> T:
        """The answer to a call."""
        steps = exchange(call, self.url, self.patience)
        try:
            step = next(steps)
            while True:
                step = steps.send(await self._do(call, step))
        except StopIteration as done:
            found: T = done.value
            return found

    async def follow(self, call: Call[Any]) -> AsyncGenerator[Event, None]:
        """The events of a call up to its last."""
        following = Following(call, self.url, self.patience)
        while not following.ended:
            try:
                async with self._http.stream(**request(call, self.url, following.headers)) as response:
                    if not response.is_success:
                        await response.aread()
                    if following.opened(response):
                        async for chunk in response.aiter_bytes():
                            for event in following.feed(chunk):
                                yield event
            except httpx.RequestError as error:
                following.broke(error)
            if not following.ended:
                await asyncio.sleep(following.wait())

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def _do(self, call: Call[Any], step: Send | float) -> httpx.Response | httpx.RequestError | None:
        if not isinstance(step, Send):
            return await asyncio.sleep(step, None)
        try:
            async with asyncio.timeout(step.seconds):
                return await self._http.request(**request(call, self.url, step.headers, step.seconds))
        except TimeoutError:
            return overdue()
        except httpx.RequestError as error:
            return error


class Jobs:
    """Batteries that run on the service, and outlive this client."""

    def __init__(self, client: AsyncClient) -> None:
        self.run, self.follow = client.run, client.follow

    submit = _answered(job_calls.submit)
    list = _answered(job_calls.jobs)
    get = _answered(job_calls.job)
    wait = _awaited(job_calls.followed)
    events = _told(job_calls.followed)
    result = _answered(job_calls.result)
    cancel = _answered(job_calls.cancel)
    delete = _answered(job_calls.delete)
