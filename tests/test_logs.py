"""Log lines: one form, no words of clients, no floods."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest

from service.http import logs


@pytest.fixture
def restored() -> Iterator[None]:
    """The loggers as pytest had them."""
    root, ours = logging.getLogger(), [logging.getLogger(name) for name in ("uvicorn.access", *logs._OURS)]
    before = root.handlers[:], root.level, [(one.handlers[:], one.level, one.propagate, one.disabled) for one in ours]
    yield
    root.handlers[:], level, states = before
    root.setLevel(level)
    for one, (handlers, was, propagate, disabled) in zip(ours, states, strict=True):
        one.handlers[:], one.propagate, one.disabled = handlers, propagate, disabled
        one.setLevel(was)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def fail(text: str) -> None:
    raise ValueError(text)


def test_a_line_of_json_is_a_line_of_json(restored: None) -> None:
    stream = io.StringIO()
    logs.set_up("json", stream)
    log = logging.getLogger("babelproof.service")
    log.info('two\nlines and a "quote" by %s', "anna")
    try:
        fail("".join(["Unaus", "sprechlich"]))
    except ValueError as error:
        logs.failure(log, "r1", error)
        log.warning("with a traceback", exc_info=True)
    first, second, third = map(json.loads, stream.getvalue().splitlines())
    assert (first["level"], first["logger"]) == ("INFO", "babelproof.service")
    assert first["message"] == 'two\nlines and a "quote" by anna'
    assert "r1" in second["message"] and "ValueError" in second["message"] and "in fail" in second["message"]
    assert third["exception"].endswith("ValueError") and "in fail" in third["exception"]
    assert "Unaussprechlich" not in stream.getvalue()


@pytest.mark.parametrize("form", ["text", "json"])
async def test_what_asyncio_says_of_lost_tasks_quotes_nothing(restored: None, form: str) -> None:
    stream = io.StringIO()
    logs.set_up(form, stream)
    lost = {"message": "lost", "exception": ValueError("Unaus" + "sprechlich"), "future": "secret"}
    asyncio.get_running_loop().call_exception_handler(lost)
    assert "lost" in stream.getvalue()
    assert "sprechlich" not in stream.getvalue() and "secret" not in stream.getvalue()


def quiet() -> tuple[logging.Logger, io.StringIO, Clock]:
    stream, clock = io.StringIO(), Clock()
    log = logging.Logger("test", logging.INFO)
    handler = logs.Quiet(stream, clock)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(handler)
    return log, stream, clock


def test_the_same_failure_is_told_once_a_minute_with_how_often_it_came() -> None:
    log, stream, clock = quiet()
    for number in range(1000):
        log.error("request %s failed", number)
        log.info("request %d", number)
    lines = stream.getvalue().splitlines()
    assert lines.count("request 0 failed") == 1 and len(lines) == 1001
    clock.now = 61
    log.info("another")
    assert stream.getvalue().splitlines()[1001:] == ["999 more in 61 s like: request # failed", "another"]
    log.error("request %s failed", 1000)
    assert stream.getvalue().splitlines()[-1] == "request 1000 failed"


def test_other_failures_are_told_apart_by_type_and_place() -> None:
    log, stream, _ = quiet()
    for call in (lambda: fail("a"), lambda: fail("b"), lambda: int("c")):
        for _ in range(5):
            try:
                call()
            except ValueError as error:
                logs.failure(log, "r", error)
    assert stream.getvalue().count("failed with ValueError") == 3


def test_kinds_of_failures_are_bounded() -> None:
    log, _, _ = quiet()
    for number in range(5 * logs._KINDS):
        log.error("kind %s", f"{number:b}".replace("0", "o").replace("1", "i"))
    handler = log.handlers[0]
    assert isinstance(handler, logs.Quiet) and len(handler._told) <= logs._KINDS + 1
