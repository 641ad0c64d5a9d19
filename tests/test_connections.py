"""Connections under clients that mean harm: late heads, large heads, many connections, answers nobody takes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from service.http.connections import Bounded, bounded
from service.settings import Settings

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"
CLOSE = b"Connection: close\r\n\r\n"
TIGHT = Settings(header_timeout_s=1, write_timeout_s=1, max_connections=4, max_header_bytes=4_000)
LARGE = 20_000_000


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads what comes and says how much it was; of /large it says a lot."""
    read, more = 0, True
    while more:
        message = await receive()
        read, more = read + len(message.get("body", b"")), message.get("more_body", False)
    body = b"x" * LARGE if scope["path"] == "/large" else str(read).encode()
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


class Running:
    """A server, and how to talk to it."""

    def __init__(self, server: uvicorn.Server) -> None:
        self.server = server
        self.port = server.servers[0].sockets[0].getsockname()[1]

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, limit=2**16)

    async def say(self, *parts: bytes, pause: float = 0.0) -> bytes:
        """All that is answered to these parts until the connection is closed."""
        reader, writer = await self.open()
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause)
            return await asyncio.wait_for(reader.read(), 15)
        except ConnectionError:
            return await reader.read(2**20) if reader.exception() is None else b""
        finally:
            writer.close()

    @property
    def held(self) -> int:
        return len(self.server.server_state.connections)


@asynccontextmanager
async def running(settings: Settings = TIGHT, count: Callable[[str], None] = Bounded.count) -> AsyncIterator[Running]:
    config = uvicorn.Config(
        application, http=bounded(settings, count), ws="none", lifespan="off", port=0, log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield Running(server)
    finally:
        server.should_exit = True
        await serving


def refusal(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    said = json.loads(body)
    assert set(said) == {"error", "code", "error_type", "request_id"}
    assert b"connection: close" in head
    return int(head.split()[1]), said["code"]


async def eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.02)


async def test_a_connection_that_says_nothing_is_closed() -> None:
    async with running() as server:
        reader, writer = await server.open()
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


@pytest.mark.parametrize("before", [b"", HEAD + b"\r\n"])
async def test_a_head_that_trickles_is_given_up_also_on_a_connection_that_was_used(before: bytes) -> None:
    async with running() as server:
        reader, writer = await server.open()
        if before:
            writer.write(before)
            assert b"200 OK" in await reader.readuntil(b"\r\n\r\n0")

        async def trickle() -> None:
            for byte in HEAD * 100:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.05)

        trickling = asyncio.create_task(trickle())
        answer = await asyncio.wait_for(reader.read(2**16), 5)
        assert refusal(answer) == (408, "head_too_slow")
        await eventually(lambda: server.held == 0)
        trickling.cancel()
        writer.close()


@pytest.mark.parametrize("headers", [100, 10_000])
async def test_a_large_head_is_refused_whether_it_ends_or_not(headers: int) -> None:
    lines = b"".join(b"h%d: %s\r\n" % (number, b"v" * 90) for number in range(headers))
    async with running() as server:
        assert refusal(await server.say(HEAD + lines, b"\r\n")) == (431, "head_too_large")


async def test_a_large_address_is_refused() -> None:
    async with running() as server:
        assert refusal(await server.say(b"GET /" + b"a" * 8_000 + b" HTTP/1.1\r\n\r\n")) == (431, "head_too_large")


async def test_a_large_body_in_one_piece_with_its_head_is_no_large_head() -> None:
    async with running() as server:
        request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n" + CLOSE + b"x" * 100_000
        assert (await server.say(request)).endswith(b"\r\n\r\n100000")


async def test_few_pipelined_requests_are_answered_and_many_are_not_kept() -> None:
    async with running() as server:
        answer = await server.say((HEAD + b"\r\n") * 3 + HEAD + CLOSE)
        assert answer.count(b"200 OK") == 4
        answer = await server.say((HEAD + b"\r\n") * 8_000)
        assert answer.count(b"200 OK") <= 16


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    ],
)
async def test_what_is_no_http_and_what_two_servers_would_read_differently_is_refused(request_: bytes) -> None:
    async with running() as server:
        assert refusal(await server.say(request_)) == (400, "bad_http")


async def test_an_answer_that_is_not_taken_is_given_up() -> None:
    async with running() as server:
        _, writer = await server.open()
        writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        await eventually(lambda: server.held == 1)
        await eventually(lambda: server.held == 0)
        writer.close()


async def test_a_slow_reader_that_goes_on_gets_all() -> None:
    async with running(replace(TIGHT, write_timeout_s=5)) as server:
        reader, writer = await server.open()
        writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\n" + CLOSE)
        read = 0
        while part := await reader.read(2**20):
            read += len(part)
            await asyncio.sleep(0.001)
        assert read > LARGE
        writer.close()


async def test_one_connection_too_many_is_told_and_room_comes_back() -> None:
    async with running() as server:
        held = [await server.open() for _ in range(TIGHT.max_connections)]
        await eventually(lambda: server.held == TIGHT.max_connections)
        assert refusal(await server.say()) == (503, "too_many_connections")
        more = [await server.open() for _ in range(10 * TIGHT.max_connections)]
        await asyncio.sleep(0.1)
        assert server.held <= 2 * TIGHT.max_connections
        await eventually(lambda: server.held == 0)
        assert b"200 OK" in await server.say(HEAD + CLOSE)
        for _, writer in held + more:
            writer.close()


async def test_requests_in_time_are_not_disturbed() -> None:
    async with running() as server:
        reader, writer = await server.open()
        for _ in range(5):
            writer.write(HEAD + b"\r\n")
            assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n0"), 5)
            await asyncio.sleep(0.3)  # all together longer than a head may take
        writer.close()


async def test_every_refusal_is_counted_by_its_code() -> None:
    counted: list[str] = []
    async with running(count=counted.append) as server:
        assert b"bad_http" in await server.say(b"nonsense\r\n\r\n")
        many = [await server.open() for _ in range(2 * TIGHT.max_connections + 1)]
        await eventually(lambda: len(counted) == 2 + TIGHT.max_connections)
        assert counted == ["bad_http"] + ["too_many_connections"] * (1 + TIGHT.max_connections)
        for _, writer in many:
            writer.close()
