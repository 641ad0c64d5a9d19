"""Metrics: what is 0 is told, workers that are gone still count, and who asks holds nobody up."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from service.metrics import REFUSALS, Metrics
from service.metrics_files import bury, reading
from tests.fakes_interface import Client

SOURCES = Path(__file__).resolve().parent.parent / "service" / "http"


def test_what_may_grow_is_told_before_it_does() -> None:
    text = Metrics().render().decode()
    assert "babelproof_worker_replacements_total 0.0" in text, "an ordinary start is none"
    for state in ("done", "failed", "cancelled"):
        assert f'babelproof_jobs_ended_total{{state="{state}"}} 0.0' in text
    said = (SOURCES / "connections.py").read_text(encoding="utf-8")
    for code in REFUSALS:
        assert f'babelproof_connections_refused_total{{code="{code}"}} 0.0' in text and f'"{code}"' in said


def counted(folder: Path, pid: int, kind: str, metric: str, value: float) -> None:
    """What a worker would have written."""
    file = MmapedDict(str(folder / f"{kind}_{pid}.db"))
    file.write_value(json.dumps([metric, f"{metric}_total", {}, "help"]), value, 0.0)
    file.close()


def told(folder: Path) -> dict[str, float]:
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))
    return {sample.name: sample.value for metric in registry.collect() for sample in metric.samples}


def test_workers_that_are_gone_count_and_leave_one_file(tmp_path: Path) -> None:
    for pid in (7, 17, 71):
        counted(tmp_path, pid, "counter", "answers", pid)
        counted(tmp_path, pid, "gauge_livesum", "open", 1)
    before = told(tmp_path)["answers_total"]
    with reading(tmp_path), pytest.raises(BlockingIOError):
        bury(tmp_path, 7)
    for pid in (7, 71):
        bury(tmp_path, pid)
    assert told(tmp_path)["answers_total"] == before == 95
    assert sorted(path.name for path in tmp_path.glob("*.db")) == [
        "counter_17.db",
        "counter_gone.db",
        "gauge_livesum_17.db",
    ]


def test_a_torn_file_is_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "counter_7.db").write_bytes(b"")
    with pytest.raises(Exception, match="4 bytes"):
        bury(tmp_path, 7)
    assert not list(tmp_path.glob("*.db"))


async def test_whoever_asks_for_metrics_is_answered_beside_the_loop(http: Client) -> None:
    threads: list[threading.Thread] = []

    class Asked:
        def collect(self) -> Iterable[Metric]:
            threads.append(threading.current_thread())
            return []

    http.interface._context.metrics.add(Asked())
    await http.get("/metrics")
    assert threads[-1] is not threading.current_thread()
    assert 'route="/metrics"' in (await http.get("/metrics")).text, "to the moment"


async def test_the_openapi_document_is_made_once(http: Client) -> None:
    first = await http.get("/openapi.json")
    http.interface.routing.table.clear()
    assert (await http.get("/openapi.json")).content == first.content and first.json()["paths"]
