"""The client: what it sends and reads, how it waits, tries again and follows events; both of its forms."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from probes.types import Item
from runtime.client import AsyncClient, Client, Late, Patience, Refused, RemoteError, Unreachable, WrongAnswer
from runtime.client import calls as asked
from runtime.client.events import LONGEST, Following
from runtime.client.exchange import retry_after
from tests.fakes_client import QUICK, SCORES, Script, both, dripping
from tests.fakes_interface import TEXTS, interface


def busy(status: int = 429, **headers: str) -> httpx.Response:
    said = {"error": "The queue is full.", "code": "overloaded", "request_id": "r1"}
    return httpx.Response(status, json=said, headers=headers)


@both
def test_texts_and_pairs_are_sent_and_scores_read(ask):
    script = Script(httpx.Response(200, json=SCORES * 3))
    found = ask(script, lambda c: c.predict(["one", ("two", "three"), Item("four")], top_k=2, truncate=False), key="k")
    assert [one.label for one in found] == ["a"] * 3 and found[0].scores[1].score == 0.25 and found[0].card is None
    [request] = script.asked
    assert json.loads(request.content) == {
        "inputs": [["one"], ["two", "three"], ["four"]],
        "raw_scores": False,
        "top_k": 2,
        "truncate": False,
    }
    assert (request.url.path, request.headers["authorization"]) == ("/predict", "Bearer k")
    assert "x-deadline-ms" not in request.headers


@both
def test_a_model_is_asked_by_its_name_and_nothing_gets_out_of_the_path(ask):
    script = Script(httpx.Response(200, json=SCORES))
    ask(script, lambda c: c.predict("a text, not its letters", model="a/../b"))
    assert script.asked[0].url.raw_path == b"/models/a%2F..%2Fb/predict"
    assert json.loads(script.asked[0].content)["inputs"] == [["a text, not its letters"]]


@both
def test_a_refusal_says_what_the_service_said(ask):
    said = {"error": "No model is called x.", "code": "unknown_model", "request_id": "r7"}
    with pytest.raises(Refused, match=r"POST http://test/models/x/predict answered status 404: No model") as raised:
        ask(Script(httpx.Response(404, json=said)), lambda c: c.predict(["a"], model="x"))
    error = raised.value
    assert (error.status, error.code, error.sentence, error.request_id) == (404, "unknown_model", said["error"], "r7")


@both
def test_busy_answers_and_broken_connections_are_tried_again(ask):
    script = Script(busy(), httpx.ConnectError("no"), httpx.Response(200, json=SCORES))
    assert ask(script, lambda c: c.predict(["a"]))[0].label == "a" and len(script.asked) == 3
    script = Script(busy(), httpx.Response(200, json=SCORES))
    assert ask(script, lambda c: c.predict(["a"]), patience=Patience(tries=2, first=0))[0].label == "a"
    script = Script(busy())
    with pytest.raises(Unreachable, match=r"could not be reached in 3 tries \(status 429\)") as raised:
        ask(script, lambda c: c.predict(["a"]))
    assert len(script.asked) == 3 and raised.value.last is not None and raised.value.last.code == "overloaded"


@both
def test_a_deadline_is_told_shrinks_and_ends_the_tries(ask):
    script = Script(busy(**{"Retry-After": "1", "Retry-After-Ms": "30"}))
    with pytest.raises(Late, match=r"did not answer in 200 ms \(status 429\)") as raised:
        ask(script, lambda c: c.predict(["a"], deadline_ms=200), patience=Patience(tries=99))
    told = [int(request.headers["x-deadline-ms"]) for request in script.asked]
    assert 2 <= len(told) <= 7 and told == sorted(told, reverse=True) and 100 < told[0] <= 200 and told[-1] <= 170
    assert raised.value.last is not None and isinstance(raised.value, Unreachable)
    with pytest.raises(Late):
        ask(Script(busy(**{"Retry-After": "60"})), lambda c: c.predict(["a"], deadline_ms=5000))


@both
def test_a_deadline_is_for_the_whole_answer(ask):
    """Each byte comes soon enough, the last one after four seconds; one second of grace is the service's."""
    content = json.dumps(SCORES).encode()
    with dripping(content + b" " * 20, 4 / (len(content) + 20)) as url, pytest.raises(Late, match=r"200 ms .*in time"):
        ask(url, lambda c: c.predict(["a"], deadline_ms=200))


@both
@pytest.mark.parametrize("use", [lambda c: c.predict(["a"]), lambda c: c.probe_events(["a"])])
def test_an_answer_that_cannot_be_unpacked_is_a_broken_one(ask, use):
    def junk(_: httpx.Request) -> httpx.Response:
        told = {"content-encoding": "gzip", "content-type": "text/event-stream"}
        return httpx.Response(200, headers=told, stream=httpx.ByteStream(b"no gzip"))

    with pytest.raises(Unreachable, match=r"3 tries \(DecodingError"):
        ask(junk, use)


@both
def test_half_a_character_is_sent_as_one_that_stands_for_it(ask):
    script = Script(httpx.Response(200, json=SCORES))
    ask(script, lambda c: c.predict(["a\ud83d b \N{AMERICAN FOOTBALL}"]))
    assert json.loads(script.asked[0].content)["inputs"] == [["a\ufffd b \N{AMERICAN FOOTBALL}"]]
    assert script.asked[0].headers["content-type"] == "application/json"


@both
def test_what_may_have_had_its_effect_is_not_sent_again(ask):
    script = Script(httpx.ReadError("gone"))
    with pytest.raises(RemoteError, match="may have had its effect"):
        ask(script, lambda c: c.jobs.delete("j"))
    assert len(script.asked) == 1
    script = Script(busy(), busy(503))
    with pytest.raises(Refused):
        ask(script, lambda c: c.jobs.delete("j"))
    assert len(script.asked) == 2, "429 was said before anything was done, 503 may be said after it"
    script = Script(httpx.ReadError("gone"), busy(503), httpx.ConnectError("no"))
    with pytest.raises(Unreachable):
        ask(script, lambda c: c.jobs.submit(["a"], battery="quick"))
    keys = {request.headers["idempotency-key"] for request in script.asked}
    assert len(script.asked) == 3 and len(keys) == 1, "the same key each time, so that it is one job"


@both
def test_a_cancel_is_sent_again_and_can_only_cancel(ask):
    script = Script(httpx.ReadError("gone"), busy(503), busy(409))
    with pytest.raises(Refused) as raised:
        ask(script, lambda c: c.jobs.cancel("j"))
    assert raised.value.status == 409
    assert [(one.method, one.url.query) for one in script.asked] == [("DELETE", b"only=cancel")] * 3


@both
@pytest.mark.parametrize("answer", [[], [[]], {"predictions": SCORES}, [[{"label": 1}]], "x"])
def test_another_answer_is_told(ask, answer):
    with pytest.raises(WrongAnswer, match="http://test/predict"):
        ask(Script(httpx.Response(200, json=answer)), lambda c: c.predict(["a"]))


def test_what_is_no_address_is_refused_at_once():
    for url in ("ftp://x", "nowhere", "http://[::1"):
        with pytest.raises(RemoteError, match="is no address"):
            Client(url)


def test_the_service_says_how_long_to_wait():
    def waits(**headers: str) -> float:
        return retry_after(busy(**headers), 9.0)

    assert waits(**{"Retry-After": "2"}) == 2 and waits(**{"Retry-After": "2", "Retry-After-Ms": "1250"}) == 1.25
    assert waits() == 9 and waits(**{"Retry-After": "soon"}) == 9 and waits(**{"Retry-After": "-4"}) == 0
    assert waits(**{"Retry-After": "Sat, 01 Jan 2000 00:00:00 GMT"}) == 0


def job(state: str, done: int, revision: int) -> dict[str, Any]:
    return {
        "id": "j",
        "state": state,
        "model": "m",
        "battery": "quick",
        "texts": 1,
        "progress": {"done": done, "wanted": 4},
        "created": "2026-01-01T00:00:00Z",
        "ended": None,
        "error": None,
        "sha256": None,
        "revision": revision,
    }


def sent(*events: tuple[str, Any, int | None]) -> bytes:
    parts = [
        f"event: {kind}\n{'' if number is None else f'id: {number}{chr(10)}'}data: {json.dumps(data)}\n\n"
        for kind, data, number in events
    ]
    return (":\n\n" + "".join(parts)).encode()


def stream(content: bytes) -> httpx.Response:
    return httpx.Response(200, content=content, headers={"content-type": "text/event-stream"})


@both
def test_events_go_on_where_the_connection_ended(ask):
    first = sent(("progress", job("running", 1, 3), 3), ("progress", job("running", 2, 5), 5))
    away = sent(("error", {"error": "The database is away.", "code": "away", "request_id": "r"}, None))
    script = Script(stream(first), busy(503), stream(away), stream(sent(("done", job("done", 4, 6), 6))))
    seen = []
    found = ask(
        script, lambda c: c.jobs.wait("j", on_progress=lambda *of: seen.append(of)), patience=Patience(tries=4, first=0)
    )
    assert (found.state, found.alive, seen) == ("done", False, [(1, 4), (2, 4)])
    assert [request.headers.get("last-event-id") for request in script.asked] == [None, "5", "5", "5"]
    script = Script(stream(sent(("done", job("done", 4, 6), 6))))
    [event] = ask(script, lambda c: c.jobs.events("j", after=5))
    assert (event.kind, event.number, script.asked[0].headers["last-event-id"]) == ("done", 6, "5")


@both
def test_a_probe_that_ends_in_an_error_is_refused(ask):
    failed = {"error": "The prober is gone.", "code": "prober_gone", "request_id": "r2"}
    script = Script(stream(sent(("progress", {"done": 0, "wanted": 4, "rows": []}, None), ("error", failed, None))))
    with pytest.raises(Refused, match="The prober is gone") as raised:
        ask(script, lambda c: c.probe(["a"]))
    assert raised.value.code == "prober_gone" and script.asked[0].headers["accept"] == "text/event-stream"


@both
def test_a_stream_that_never_comes_to_its_end_is_given_up(ask):
    script = Script(stream(sent(("progress", {"done": 1, "wanted": 4}, None))))
    with pytest.raises(Unreachable, match="could not be followed in 3 tries"):
        ask(script, lambda c: c.probe_events(["a"]))
    assert len(script.asked) == 3


@both
def test_an_answer_without_events_is_none(ask):
    with pytest.raises(WrongAnswer, match="answered no events"):
        ask(Script(httpx.Response(200, json={})), lambda c: c.probe(["a"]))


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_events_are_whole_however_their_bytes_come(size):
    text = "a\u2028b\u0085c\u000bé"
    content = f'event: result\r\nid: 7\r\ndata: {{"text":\r\ndata: "{text}"}}\r\n\r\n'.replace(
        "\u000b", "\\u000b"
    ).encode()
    following = Following(asked.probe(["x"]), "http://test", QUICK)
    parts = [content[at : at + size] for at in range(0, len(content), size)]
    [event] = [event for part in parts for event in following.feed(part)]
    assert (event.kind, event.data, event.number, following.ended) == ("result", {"text": text}, 7, True)


def test_an_event_that_is_too_long_is_not_collected():
    following = Following(asked.probe(["x"]), "http://test", QUICK)
    with pytest.raises(WrongAnswer, match="an event of more than"):
        for _ in range(LONGEST // 2**20 + 2):
            list(following.feed(b"data: " + b"x" * 2**20 + b"\n"))


async def test_everything_against_the_service_itself(served, tmp_path):
    made = interface(served)
    transport = httpx.ASGITransport(made, raise_app_exceptions=False)  # type: ignore[arg-type]
    try:
        async with AsyncClient("http://test", transport=transport, patience=Patience(tries=1)) as client:
            plain = await client.predict(TEXTS)
            assert [one.label for one in plain] == ["politics", "health"] and plain[0].card is None
            [judged] = await client.predict(TEXTS[0], robustness=4, seed=3, languages="en", top_k=1)
            assert len(judged.scores) == 1 and judged.card is not None and judged.card.variants == 4
            assert judged.card.language.lang == "en"
            assert [one.lang for one in await client.detect(TEXTS)] == ["en", "de"]
            certified = await client.certify(TEXTS[:1], n0=10, n=50, alpha=0.1, seed=1)
            assert certified.n == 50 and certified.certificates[0].status in ("certified", "abstained")
            probed = await client.probe(TEXTS, steps=[{"name": "swaps", "perturbations": ["swap"], "strength": 0.5}])
            assert {row.lang for row in probed.rows} == {"en", "de"} and not probed.truncated
            [model] = await client.models()
            assert (model.name, model.default, model.active.labels[0]) == ("keywords", True, "sports")
            with pytest.raises(Refused) as raised:
                await client.predict([""] * 99)
            assert raised.value.status == 413 and len(raised.value.request_id) > 8 and raised.value.code
    finally:
        await asyncio.to_thread(made.close)
