"""The hot route: how many calls a request costs, what is plain, deadlines, clients that leave."""

from __future__ import annotations

import asyncio
import cProfile
import json
import logging
import pstats
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvloop
from starlette.types import Message

from runtime.backends import Backend
from runtime.classifier import OnnxClassifier
from service.answers.plain import reader
from service.answers.predict import check, wanted
from service.answers.schemas import PredictRequest, parse
from service.interface import Interface
from service.settings import Settings
from tests.fakes_interface import SETTINGS, client, interface, post, refused

TEXTS = ["The minister won the election", "A doctor of the hospital", "the team", "vote"]
REQUESTS, ROUNDS = 50, 12
MOST_CALLS = 150


class Asked:
    """One ASGI request whose client stays, or leaves after a while."""

    def __init__(self, body: bytes, *headers: tuple[bytes, bytes], leaves: asyncio.Event | None = None) -> None:
        length = (b"content-length", str(len(body)).encode())
        named = [(b"host", b"x"), (b"content-type", b"application/json"), length, *headers]
        self.scope = {"type": "http", "method": "POST", "path": "/predict", "query_string": b"", "headers": named}
        self._body: bytes | None = body
        self.leaves = leaves or asyncio.Event()
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        if (body := self._body) is not None:
            self._body = None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)


async def counted(application: Interface) -> float:
    """Python and built-in calls of the loop's thread for one request of four short texts."""
    body = json.dumps({"inputs": TEXTS}).encode()
    for _ in range(20):
        asked = Asked(body)
        await application(asked.scope, asked.receive, asked.send)
        assert asked.sent[0]["status"] == 200
    return min([await profiled(application, [Asked(body) for _ in range(REQUESTS)]) for _ in range(ROUNDS)])


async def profiled(application: Interface, requests: list[Asked]) -> float:
    """Calls for one of the requests."""
    profile = cProfile.Profile()
    profile.enable()
    for asked in requests:
        await application(asked.scope, asked.receive, asked.send)
    profile.disable()
    return pstats.Stats(profile).total_calls / len(requests)  # type: ignore[attr-defined]


@pytest.fixture
def application(served: OnnxClassifier) -> Iterator[Interface]:
    made = interface(served)
    yield made
    made.close()


def test_a_plain_request_costs_few_calls(application: Interface) -> None:
    # on uvloop, which serves; what asyncio's own loop does in Python would count too
    calls = uvloop.run(counted(application))
    assert calls <= MOST_CALLS, f"{calls:.0f} calls a request"


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": "a"},
        {"inputs": ["a", ["b"], ["c", "d"]]},
        {"inputs": "a", "parameters": {}},
        {"inputs": "a", "parameters": None, "options": {"use_cache": True}},
        {"inputs": ["a"], "parameters": {"top_k": 2, "function_to_apply": "sigmoid"}},
        {"inputs": ["a"], "top_k": 1, "raw_scores": True, "truncate": False, "truncation_direction": "Right"},
        {"inputs": "a", "top_k": 3, "parameters": {"function_to_apply": "none"}},
        {"inputs": "a", "raw_scores": True, "parameters": {"top_k": 2}},
    ],
)
def test_what_is_plain_means_the_same_as_in_words(body: dict[str, object]) -> None:
    plain = reader(SETTINGS)(json.dumps(body).encode())
    asked = parse(PredictRequest, body)
    check(asked, SETTINGS)
    worded = wanted(asked)
    assert plain is not None
    assert tuple(plain.items) == tuple(worded.items)
    for field in ("single", "alone", "function", "top_k", "truncate"):
        assert getattr(plain, field) == getattr(worded, field), field


@pytest.mark.parametrize("sent", [b"soon", b"-5", b"0", b"1.5", b"", b"9" * 30, b"120001"])
async def test_a_deadline_that_is_none_is_refused(http: httpx.AsyncClient, sent: bytes) -> None:
    for body in ({"inputs": "vote"}, {"inputs": {"text": "vote"}}):  # plain, and in words
        answer = await http.post("/predict", json=body, headers=[(b"X-Deadline-Ms", sent)])
        refused(answer, 422, "bad_deadline", "120000")


class Held(OnnxClassifier):
    """A classifier whose runs wait to be let go."""

    def __init__(self, folder: Path) -> None:
        self.go = threading.Event()
        self.go.set()
        self.runs = 0
        super().__init__(folder, threads=1)

    @property
    def backend(self) -> Backend:
        self.runs += 1
        assert self.go.wait(20)
        return super().backend


@pytest.fixture
def held(served_folder: Path) -> Iterator[Held]:
    classifier = Held(served_folder)
    classifier.go.clear()
    yield classifier
    classifier.go.set()


async def test_a_deadline_that_cannot_be_kept_is_told_with_when_it_could_be(held: Held) -> None:
    async with client(held) as http:
        asking = [asyncio.create_task(asked(http, text, 60_000)) for text in ("vote", "a doctor")]
        await asyncio.sleep(0.05)
        asking.append(asyncio.create_task(asked(http, "the team", 200)))
        at_once = await asked(http, "a hospital", 1)
        refused(at_once, 429, "overloaded", "deadline")
        assert int(at_once.headers["Retry-After"]) >= 1 and int(at_once.headers["Retry-After-Ms"]) >= 1
        await asyncio.sleep(0.3)
        held.go.set()
        *kept, dropped = await asyncio.gather(*asking)
        assert [one.status_code for one in kept] == [200, 200]
        split = re.fullmatch(r"queue;dur=([\d.]+), compute;dur=([\d.]+)", kept[0].headers["Server-Timing"])
        assert split is not None and float(split[2]) > 300 > float(split[1])
        refused(dropped, 429, "overloaded", "deadline")
        text = (await http.get("/metrics")).text
        assert 'babelproof_engine_shed_total{model="keywords"} 1.0' in text
        assert 'babelproof_engine_refused_total{model="keywords",reason="deadline"} 1.0' in text


async def asked(http: httpx.AsyncClient, text: str, deadline_ms: int) -> httpx.Response:
    return await http.post("/predict", json={"inputs": text}, headers={"X-Deadline-Ms": str(deadline_ms)})


async def test_work_of_a_client_that_left_never_runs(held: Held) -> None:
    application = interface(held)
    # one runs, one is packed to run next, one waits
    stay = [Asked(b'{"inputs": "vote"}'), Asked(b'{"inputs": "a doctor"}')]
    leave = Asked(b'{"inputs": "the team"}', leaves=asyncio.Event())
    asking = []
    for one in (*stay, leave):
        asking.append(asyncio.create_task(application(one.scope, one.receive, one.send)))
        await asyncio.sleep(0.05)
    leave.leaves.set()
    async with asyncio.timeout(5):
        await asking.pop()
    held.go.set()
    await asyncio.gather(*asking)
    assert [one.sent[0]["status"] for one in (*stay, leave)] == [200, 200, 499]
    text = await metrics(application)
    application.close()
    assert 'babelproof_engine_skipped_rows_total{model="keywords"} 1.0' in text
    assert 'babelproof_engine_cancelled_total{model="keywords"} 1.0' in text
    assert 'babelproof_requests_total{method="POST",route="/predict",status="499"} 1.0' in text


async def metrics(application: Any) -> str:
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        return (await http.get("/metrics")).text


async def test_requests_are_counted_logged_and_timed_in_batches(
    served: OnnxClassifier, capsys: pytest.CaptureFixture[str]
) -> None:
    async with client(served) as http:
        for _ in range(3):
            await post(http, "/predict", {"inputs": "a secret"})
        assert 'babelproof_request_seconds_count{route="/predict"} 3.0' in (await http.get("/metrics")).text
        assert 'babelproof_request_seconds_bucket{le="120.0",route="/predict"} 3.0' in (await http.get("/metrics")).text
    lines = [line for line in capsys.readouterr().err.splitlines() if "POST /predict 200" in line]
    assert len(lines) == 3 and "secret" not in str(lines)


async def test_an_observer_that_fails_harms_no_answer(served: OnnxClassifier, caplog: pytest.LogCaptureFixture) -> None:
    application = interface(served)
    heard: list[str] = []

    def listen(name: str, items: Any, prediction: Any) -> None:
        heard.append(name)
        raise ValueError("my secret")

    application._context.observers.append(listen)
    with caplog.at_level(logging.ERROR, "babelproof"):
        for body in ({"inputs": "vote"}, {"inputs": {"text": "vote"}}):
            asked = Asked(json.dumps(body).encode())
            await application(asked.scope, asked.receive, asked.send)
            assert asked.sent[0]["status"] == 200
    assert heard == ["keywords"] * 2
    assert "ValueError" in caplog.text and "secret" not in caplog.text


def test_bounds_of_the_settings_hold_for_plain_requests() -> None:
    read = reader(Settings(max_texts=2, max_chars=3))
    assert read('{"inputs": ["äöü", "b"]}'.encode()) is not None
    for body in ('["a", "b", "c"]', '["äöüa"]', '""', "[]", '["a", ""]', '[["a", "b", "c"]]', '[["a", ""]]', "5"):
        assert read(f'{{"inputs": {body}}}'.encode()) is None
