"""The load of the serving benchmark: nothing that was due is forgotten, and a server that stalls is charged for it."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from benchmarks import soak, soak_verdict
from benchmarks.serving import beside, measure, render
from benchmarks.serving.load import Answered, offer, poisson, saturate
from benchmarks.serving.process import ServerError, _environment
from benchmarks.serving.rounds import Comparison
from benchmarks.serving.systems import OURS, systems
from benchmarks.serving.trace import texts
from tests.fakes_model import build_model_folder

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
        good, failed, _ = await saturate("127.0.0.1", port, [REQUEST], 0.2, callers=4, patience_s=2)
    assert abs(good - fake.seen / 2) <= 4 and good + failed == fake.seen


async def test_at_saturation_a_server_that_hangs_up_or_hangs_is_counted_and_not_waited_for() -> None:
    fake = Fake(hang_up=7)
    async with listening(fake) as port:
        good, failed, _ = await saturate("127.0.0.1", port, [REQUEST], 0.3, callers=4, patience_s=2)
    assert failed == fake.seen // 7 > 0 and good == fake.seen - failed
    async with listening(Fake(stall=5)) as port:
        good, failed, took = await saturate("127.0.0.1", port, [REQUEST], 0.1, callers=1, patience_s=0.2)
    assert (good, failed) == (0, 1) and took < 2
    good, failed, _ = await saturate("127.0.0.1", port, [REQUEST], 0.05, callers=1, patience_s=1)
    assert good == 0 < failed, "nobody is there any more"


def test_arrivals_are_poisson() -> None:
    due = poisson(1000, 20, np.random.default_rng(1))
    gaps = np.diff(due)
    assert len(due) == pytest.approx(20_000, rel=0.03)
    assert gaps.std() / gaps.mean() == pytest.approx(1, rel=0.05)


def test_a_point_counts_refused_and_late_as_not_good() -> None:
    answered = [Answered(0.0, 0.05, 200)] * 97 + [Answered(0.0, 0.5, 200)] * 2 + [Answered(0.0, 0.01, 429)]
    point = measure._point(0.5, 10.0, answered, 1.0, None, measure.Plan(objective_ms=100))
    assert (point.good, point.answered, point.refused) == (0.97, 0.99, 0.01)
    assert point.p99 == float("inf")
    assert point.kept == 97 / 99
    assert point.dropped is None and point.refused_p99 == pytest.approx(10)


def test_a_refusal_that_came_late_and_what_was_dropped_after_it_was_admitted_are_told() -> None:
    answered = [Answered(0.0, 0.05, 200)] * 90 + [Answered(0.0, 0.09, status) for status in (408, 429, 503, 504)]
    dropped = measure._dropped((100.0, 5.0), (195.0, 10.0))
    point = measure._point(1.5, 10.0, answered, 1.0, dropped, PLAN)
    assert (point.refused, point.refused_p99, point.dropped) == (4 / 94, pytest.approx(90), 5 / 95)
    assert measure._dropped((), ()) is None
    row = _row([point], 10.0)
    made = render.report([{"systems": {OURS: row}, "failed": {}}], {}, PLAN, Path("topics"))
    assert "| 90 (90 to 90) | 0.053 (0.053 to 0.053) |" in render.markdown(made)


def _row(points: list[measure.Point], answers: float, after: float = 10.0) -> dict[str, object]:
    """What is kept of a system in a round."""
    said = {"agreement": 1.0, "points": measure.as_json(points), "failed": 0.0}
    return said | {"answers_per_second": answers, "limits": [10.0, after]}


def test_the_texts_are_of_many_languages_and_fit_the_model() -> None:
    model = ROOT / "models" / "topics"
    drawn = texts([ROOT / "examples" / "demo.jsonl"], model, 200, np.random.default_rng(0))
    assert len(set(drawn)) == 200
    assert drawn == texts([ROOT / "examples" / "demo.jsonl"], model, 200, np.random.default_rng(0))
    assert max(map(len, drawn)) > 4 * np.median([len(text) for text in drawn]), "short ones mostly, and some long"


def test_the_table_has_medians_ranges_and_what_failed() -> None:
    def one(good: float) -> dict[str, object]:
        answered = [Answered(0, 0.05 if number < good * 100 else 1, 200) for number in range(100)]
        points = [measure._point(share, 10 * share, answered, 1.0, None, PLAN) for share in PLAN.shares]
        return _row(points, 10 * good)

    rounds = [{"systems": {OURS: one(good)}, "failed": {}} for good in (1.0, 0.5, 1.0)]
    rounds.append({"systems": {}, "failed": {OURS: "OSError: gone\nwith a trace"}})
    made = render.report(rounds, {"Other": "not installed"}, PLAN, Path("topics"))
    table = render.markdown(made)
    assert "| babelproof | 3/4 | 1.50 (0.00 to 1.50) | 1.00 (0.50 to 1.00) |" in table
    assert "Other, not measured in 4 of 4: not installed" in table
    assert "babelproof, not measured in 1 of 4: OSError: gone\n" in table, (
        "a failure is told also beside what succeeded"
    )


def test_a_system_is_measured_by_the_limit_before_and_after_it() -> None:
    answered = [Answered(0, 0.05, 200)]
    points = [measure._point(share, 10 * share, answered, 1.0, None, PLAN) for share in PLAN.shares]
    made = render.report([{"systems": {OURS: _row(points, 12.0, after=14.0)}, "failed": {}}], {}, PLAN, Path("topics"))
    found = made["systems"][OURS]
    assert (found["kept"][0], found["saturated"][0], found["drift"][0]) == (1.25, 1.0, 1.4)


def test_a_round_goes_on_past_whoever_fails_and_asks_everybody_for_the_same_texts() -> None:
    texts, asked, limits = ["a", "b"], [], iter([100.0, 90.0, 80.0, 70.0, 60.0])

    def raw(given: Sequence[str]) -> tuple[float, list[str]]:
        asked.append(given)
        return next(limits), ["x", "y"]

    def one(name: str, given: Sequence[str], labels: Sequence[str], limit: float) -> dict[str, Any]:
        asked.append(given)
        if name in faults:
            raise faults[name]
        return {"answers_per_second": limit}

    faults = {"gone": ConnectionResetError("gone"), "many": ExceptionGroup("all", [ServerError("no")])}
    compared = Comparison(texts, raw, one, lambda said: None)
    found = compared.round(["gone", "first", "many", "last"])
    assert {name: row["limits"] for name, row in found.items()} == {"first": [90.0, 80.0], "last": [70.0, 60.0]}
    assert found["last"]["answers_per_second"] == 70 and compared.failed.keys() == faults.keys()
    assert asked == [texts] * 9


@pytest.mark.skipif(shutil.which("taskset") is None, reason="taskset is not installed")
def test_the_limit_is_of_all_the_texts(tmp_path: Path) -> None:
    limit, labels = measure.raw_limit(build_model_folder(tmp_path), ["the minister"] * 501)
    assert limit > 0 and labels == ["politics"] * 501


def test_a_server_is_told_the_objective_and_keeps_its_state_to_itself(tmp_path: Path) -> None:
    told = _environment(systems(123)[OURS], Path("topics"), tmp_path)
    assert told["SERVED_OBJECTIVE_MS"] == "123" and Path(told["BABELPROOF_STATE"]).parent == tmp_path
    assert Path(soak.environment(tmp_path)["BABELPROOF_STATE"]).parent == tmp_path
    assert b"X-Deadline-Ms: 123\r\n" in systems(123)[OURS].request("a", "b")
    code = "from benchmarks.serving.peers.bentoml_batchable import Naive; print(Naive.apis['predict'].max_latency_ms)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=told, capture_output=True, text=True, check=True)
    assert done.stdout == "123\n"
    peers = ROOT / "benchmarks" / "serving" / "peers"
    for name in ("litserve_app", "ray_app"):
        code = (peers / f"{name}.py").read_text()
        assert 'patience = int(os.environ["SERVED_OBJECTIVE_MS"]) / 1000\n' in code
        assert re.search(r"\btimeout=patience|\"request_timeout_s\": patience", code)
    held = {name for name, system in systems(123).items() if any("{most}" in part for part in system.command)}
    assert held == {"FastAPI", "infinity"} and measure._most(systems(100)["FastAPI"], 300.0) == 15


def test_beside_a_battery_what_was_not_answered_never_came() -> None:
    answered = [Answered(0.0, 0.05, 200)] * 98 + [Answered(0.0, 0.01, 429)] * 2
    found = beside.figures(answered)
    assert found == {"p50": pytest.approx(50), "p99": float("inf"), "good": 0.98}
    assert beside._ratio(1.0, found["p99"]) == beside._ratio(found["p99"], 1.0) == float("inf")
    assert beside._told({"p99": [found["p99"], 1.0]}) == {"p99": [None, 1.0]}
    assert beside.order(0) == beside.order(1)[::-1] == beside.order(2)


PLAN = measure.Plan()


@pytest.mark.parametrize(("a_minute", "flat"), [(0.0, True), (5.0, False)])
def test_a_soak_tells_flat_memory_from_growing(a_minute: float, flat: bool) -> None:
    memory = [(5.0 * number, 900 + a_minute * number / 12 + 0.5 * (number % 2)) for number in range(120)]
    figures = json.loads(json.dumps(soak_verdict.figures({"predict 200": 3}, {}, memory, 10, workers=2)))
    assert (figures["flat"], figures["answered"], figures["faults"]) == (flat, {"predict 200": 3}, [])


WELL = {
    "predict 200": 995, "predict 429": 5, "predict 16 200": 80, "robustness 200": 80, "probe 200": 3, "probe 503": 20,
    "job 202": 9, "job 429": 1, "nonsense 404": 90, "nonsense 405": 1, "left": 99, "left 200": 1,
    "swaps": 10, "reloads": 18,
}  # fmt: skip


@pytest.mark.parametrize(
    ("statuses", "broken", "said"),
    [
        ({}, {}, ""),
        ({"reloads": 15}, {}, "only 15 models were taken in, of 20"),
        ({"predict 200": 900, "predict 429": 100}, {}, "only 900 of 1000 x predict were answered 200"),
        ({"predict 16 200": 0, "predict 16 429": 80}, {}, "only 0 of 80 x predict 16 were answered 200"),
        ({"probe 200": 0}, {}, "only 0 of 20 x probe were answered 200"),
        ({"job 202": 0, "job 429": 60}, {}, "only 0 of 60 x job were answered 202"),
        ({"nonsense 500": 2}, {}, "2 x nonsense was answered 500"),
        ({"nonsense 200": 1}, {}, "1 x nonsense was answered 200"),
        ({"predict 202": 1}, {}, "1 x predict was answered 202"),
        ({"left 500": 1}, {}, "1 x left was answered 500"),
        ({}, {"nonsense ReadError": 1}, "1 x nonsense ReadError without an answer"),
        ({"predict 200": 0, "predict 429": 0}, {"predict ReadTimeout": 1}, "only 0 of 1 x predict were answered 200"),
    ],
)
def test_a_soak_fails_by_what_was_refused_missed_or_answered_wrongly(
    statuses: dict[str, int], broken: dict[str, int], said: str
) -> None:
    found = soak_verdict.faults(WELL | statuses, broken, workers=2)
    assert any(one.startswith(said) for one in found) if said else not found, found


async def test_a_client_that_left_is_no_fault_and_one_that_was_cut_off_is() -> None:
    load = soak.Soak("", ["grün"], np.random.default_rng(0))
    for error in (httpx.ReadTimeout("late"), httpx.ReadError("cut")):

        def fail(request: httpx.Request, error: Exception = error) -> httpx.Response:
            raise error

        async with httpx.AsyncClient(transport=httpx.MockTransport(fail), base_url="http://test") as http:
            await load.leave(http)
            await load.nonsense(http)
    assert load.statuses == {"left": 1}
    assert load.broken == {"nonsense ReadTimeout": 1, "left ReadError": 1, "nonsense ReadError": 1}
