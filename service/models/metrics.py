"""What engines and models count, handed on to Prometheus; labels are the names of models and words known in advance."""

from __future__ import annotations

from dataclasses import fields
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry, Counter, Gauge

from runtime.engine import Engine, Priority, Stats
from service.models.registry import Models
from service.models.served import Kind, Served

_GAUGES = ("held", "waiting_rows", "cost_error")
_COUNTERS = tuple(field.name for field in fields(Stats) if field.name not in (*_GAUGES, "refused"))
_KINDS: tuple[Kind, ...] = ("reload", "rollback", "promote")


class ModelMetrics:
    """Brings what was counted since it was asked last."""

    def __init__(self, models: Models, registry: CollectorRegistry) -> None:
        self._models = models
        self._counters = {
            name: Counter(_named(name), f"Engine: {name}; see docs/operations.md.", ["model"], registry=registry)
            for name in _COUNTERS
        }
        self._refused = Counter(
            "babelproof_engine_refused", "Requests refused on arrival.", ["model", "reason"], registry=registry
        )
        self._held, self._waiting = (
            Gauge(name, said, ["model", "priority"], registry=registry, multiprocess_mode="livesum")
            for name, said in (
                ("babelproof_engine_held", "Requests admitted and not answered."),
                ("babelproof_engine_waiting_rows", "Rows that wait for a run."),
            )
        )
        self._error = Gauge(
            "babelproof_engine_cost_error",
            "Mean relative error of predicted running times.",
            ["model"],
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._swaps = Counter("babelproof_model_swaps", "Models swapped.", ["model", "kind"], registry=registry)
        self._refusals = Counter("babelproof_model_refused", "Folders not taken.", ["model"], registry=registry)
        self._seen: WeakKeyDictionary[Engine | Served, dict[str, float]] = WeakKeyDictionary()

    def bring(self) -> None:
        """Add what is new; of an engine that was closed meanwhile the last second is lost."""
        for name in self._models.names:
            served = self._models.served(name)
            for opened in served.slots:
                self._add(name, opened.engine, opened.engine.stats())
            stats = served.engine.stats()
            for priority in Priority:
                self._held.labels(name, priority.name.lower()).set(stats.held[priority])
                self._waiting.labels(name, priority.name.lower()).set(stats.waiting_rows[priority])
            self._error.labels(name).set(stats.cost_error)
            for kind in _KINDS:
                self._swaps.labels(name, kind).inc(self._new(served, kind, served.swaps[kind]))
            self._refusals.labels(name).inc(self._new(served, "refused", served.refusals))

    def _add(self, name: str, engine: Engine, now: Stats) -> None:
        first = engine not in self._seen  # then even what is 0 is told, so that it is known
        for field, counter in self._counters.items():
            if (new := self._new(engine, field, getattr(now, field))) or first:
                counter.labels(name).inc(new)
        for reason, count in now.refused.items():
            if (new := self._new(engine, f"refused {reason}", count)) or first:
                self._refused.labels(name, reason).inc(new)

    def _new(self, source: Engine | Served, what: str, count: float) -> float:
        """What a source has counted since it was asked last; what it took back meanwhile is waited for."""
        seen = self._seen.setdefault(source, {})
        before = seen.get(what, 0)
        seen[what] = max(before, count)
        return seen[what] - before


def _named(field: str) -> str:
    said = f"{field[:-2]}_seconds" if field.endswith("_s") else field
    return f"babelproof_engine_{said}"
