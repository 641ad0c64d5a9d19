"""The load of the serving benchmark: nothing that was due is forgotten, and a server that stalls is charged for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from benchmarks.serving import measure, render
from benchmarks.serving.load import Answered, offer, poisson, saturate
from benchmarks.serving.systems import OURS, systems
from benchmarks.serving.trace import texts
from benchmarks.soak import Soak, _figures

ROOT = Path(__file__).resolve().parent.parent
REQUEST = systems(100)[OURS].request("grün", "127.0.0.1")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Fake:
    """An HTTP server that answers, after a stall, refuses every so often, or hangs up."""

    def __init__(self, stall: float = 0.0, refuse: int = 0, hang_up: int = 0) -> None:
        self.seen = 0
        self._stall, self._refuse, self._hang_up = stall, refuse, hang_up

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                assert (await reader.readexactly(length)).decode() == '{"inputs": "grün"}'
                self.seen += 1
                if self.seen == 1:
                    await asyncio.sleep(self._stall)
                if self._hang_up and self.seen % self._hang_up == 0:
                    break
                refused = self._refuse and self.seen % self._refuse == 0
                writer.write(OK.replace(b"200 OK", b"429 Busy") if refused else OK)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def listening(fake: Fake) -> AsyncIterator[int]:
    server = await asyncio.start_server(fake, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.sleep(0.05)  # for the last connections to be seen closed


async def test_every_request_that_was_due_is_accounted_for() -> None:
    due = poisson(400, 0.5, np.random.default_rng(0))
    async with listening(Fake(refuse=5, hang_up=7)) as port:
        answered = await offer("127.0.0.1", port, [REQUEST], due, patience_s=2)
    statuses = [one.status for one in answered]
    assert sorted(one.due for one in answered) == due
    assert set(statuses) == {0, 200, 429}
    assert statuses.count(0) == len(due) // 7


async def test_a_stall_is_charged_to_all_that_were_due_meanwhile() -> None:
    due = [0.01 * number for number in range(30)]
    async with listening(Fake(stall=0.4)) as port:
        answered = await offer("127.0.0.1", port, [REQUEST], due, connections=1, patience_s=2)
    late = [one for one in answered if one.latency > 0.1]
    assert len(late) >= 25, "one connection was stuck, and whoever waited for it waited too"


async def test_patience_ends() -> None:
    async with listening(Fake(stall=5)) as port:
        (only,) = await offer("127.0.0.1", port, [REQUEST], [0.0], patience_s=0.2)
    assert only.status == 0
    assert only.latency == pytest.approx(0.2, abs=0.15)


async def test_at_saturation_only_answers_count() -> None:
    fake = Fake(refuse=2)
    async with listening(fake) as port:
        good, _ = await saturate("127.0.0.1", port, [REQUEST], 0.2, callers=4)
    assert abs(good - fake.seen / 2) <= 4


def test_arrivals_are_poisson() -> None:
    due = poisson(1000, 20, np.random.default_rng(1))
    gaps = np.diff(due)
    assert len(due) == pytest.approx(20_000, rel=0.03)
    assert gaps.std() / gaps.mean() == pytest.approx(1, rel=0.05)


def test_a_point_counts_refused_and_late_as_not_good() -> None:
    answered = [Answered(0.0, 0.05, 200)] * 97 + [Answered(0.0, 0.5, 200)] * 2 + [Answered(0.0, 0.01, 429)]
    point = measure._point(0.5, 10.0, answered, 1.0, measure.Plan(objective_ms=100))
    assert (point.good, point.answered, point.refused) == (0.97, 0.99, 0.01)
    assert point.p99 == float("inf")
    assert point.kept == 97 / 99


def test_the_texts_are_of_many_languages_and_fit_the_model() -> None:
    model = ROOT / "models" / "topics"
    drawn = texts([ROOT / "examples" / "demo.jsonl"], model, 200, np.random.default_rng(0))
    assert len(set(drawn)) == 200
    assert drawn == texts([ROOT / "examples" / "demo.jsonl"], model, 200, np.random.default_rng(0))
    assert max(map(len, drawn)) > 4 * np.median([len(text) for text in drawn]), "short ones mostly, and some long"


def test_the_table_has_medians_ranges_and_what_failed() -> None:
    def one(good: float) -> dict[str, object]:
        answered = [Answered(0, 0.05 if number < good * 100 else 1, 200) for number in range(100)]
        points = [measure._point(share, 10.0, answered, 1.0, PLAN) for share in PLAN.shares]
        return {"agreement": 1.0, "points": measure.as_json(points), "saturated": good}

    rounds = [{"raw": 100.0, "systems": {OURS: one(good)}} for good in (1.0, 0.5, 1.0)]
    made = render.report({"rounds": rounds, "failed": {"Other": "not installed"}}, PLAN, Path("topics"))
    table = render.markdown(made)
    assert "| babelproof | 1.50 (0.00 to 1.50) | 1.00 (0.50 to 1.00) |" in table
    assert "Other | not measured: not installed" in table


PLAN = measure.Plan()


@pytest.mark.parametrize(("a_minute", "flat"), [(0.0, True), (5.0, False)])
def test_a_soak_tells_flat_memory_from_growing(a_minute: float, flat: bool) -> None:
    soak = Soak("", [], np.random.default_rng(0))
    soak.statuses["predict 200"] += 3
    memory = [(5.0 * number, 900 + a_minute * number / 12 + 0.5 * (number % 2)) for number in range(120)]
    figures = json.loads(json.dumps(_figures(soak, memory, 10)))
    assert (figures["flat"], figures["answered"]) == (flat, {"predict 200": 3})
