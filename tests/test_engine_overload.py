"""The engine's decisions in simulated time: deadlines under overload, Retry-After, wasted work, LOW beside LIVE."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from itertools import pairwise

import pytest

from runtime.engine import Limits, Overloaded, Priority
from tests.fakes_engine import Arrival, Cost, Simulation, accelerator, cpu, lengths

NOISE = 1.0253
"""Mean of the factor on a run's seconds: lognormal(0, 0.1), and three times that once in a hundred runs."""


def capacity(cost: Cost, pool: list[int]) -> float:
    """Tokens per second when all is known beforehand: sorted by length, in runs as long as the engine's."""
    texts, seconds, start = sorted(pool), 0.0, 0
    while start < len(texts):
        end = start + 1
        while end < len(texts) and cost(end - start + 1, texts[end]) <= Limits().run_s:
            end += 1
        seconds += cost(end - start, texts[end - 1])
        start = end
    return sum(texts) / seconds / NOISE


@dataclass(frozen=True, slots=True)
class Load:
    cost: Cost
    factor: float
    seconds: float
    patience: tuple[float, ...] = (0.2, 0.5, 1.0)
    texts: tuple[int, ...] = (1,)
    leaving: float = 0.0
    """Share of clients that leave while they wait."""
    stall_s: float = 0.0
    """How much longer every fortieth run takes."""

    def play(self, seed: int = 0, keep: float = 0.0) -> tuple[Simulation, float]:
        """What happened, and the tokens answered in time as a share of the capacity."""
        rng = random.Random(seed)
        pool = lengths(rng, 2000)
        most = capacity(self.cost, pool)
        per_second = self.factor * most / (sum(pool) / len(pool)) / (sum(self.texts) / len(self.texts))
        at, arrivals = 0.0, []
        while (at := at + rng.expovariate(per_second)) < self.seconds:
            patience = rng.choice(self.patience)
            leaves = rng.random() * patience if rng.random() < self.leaving else None
            arrivals.append(Arrival(at, tuple(rng.choices(pool, k=rng.choice(self.texts))), patience, leaves))
        runs = itertools.count(1)

        def stalling(rows: int, longest: int) -> float:
            return self.cost(rows, longest) + (0 if next(runs) % 40 else self.stall_s)

        sim = Simulation(stalling, noise=random.Random(seed + 1))
        sim.keep = keep
        sim.play(arrivals)
        tokens = sum(len(row.ids) for ticket in sim.in_time for row in ticket.rows)
        return sim, tokens / sim.now / most


@pytest.mark.parametrize(
    ("load", "goodput"),
    [
        (Load(cpu, 1.5, 6), 0.9),
        (Load(cpu, 1.5, 6, patience=(0.1,)), 0.9),
        (Load(cpu, 2.5, 6, patience=(0.3, 4.0)), 0.9),
        (Load(cpu, 1.5, 6, texts=(1, 1, 1, 4, 16)), 0.9),
        (Load(cpu, 5.0, 3), 0.9),
        (Load(accelerator, 1.5, 1.5), 0.75),
    ],
)
def test_deadlines_are_kept_under_overload_and_the_session_is_used(load, goodput):
    sim, used = load.play()
    stats = sim.scheduler.stats
    assert stats.refused["deadline"] > 0 and stats.requests > 200
    assert len(sim.in_time) >= 0.99 * stats.requests
    assert used >= goodput
    assert sim.hopeless == 0


def test_after_a_run_that_took_too_long_nothing_is_run_in_vain():
    sim, _ = Load(cpu, 1.5, 6, patience=(0.15,), texts=(1, 4), stall_s=0.1).play()
    stats = sim.scheduler.stats
    assert sim.hopeless == 0
    assert stats.shed > 20 and stats.late < 0.3 * stats.shed


def test_below_capacity_nobody_is_refused():
    sim, _ = Load(cpu, 0.6, 5).play()
    assert sum(sim.scheduler.stats.refused.values()) == 0
    assert len(sim.in_time) == sim.scheduler.stats.requests


def test_little_is_run_for_nobody_when_clients_leave():
    sim, used = Load(cpu, 2.0, 8, leaving=0.2).play()
    stats = sim.scheduler.stats
    assert stats.cancelled > 500 and stats.skipped_rows > 300
    assert stats.wasted < 0.01 * stats.area
    assert used > 0.85


def wait_in_truth(arrival: Arrival, rest: Simulation, step: float = 0.001) -> float:
    """Seconds until the request is taken when it asks again at every step and nothing else comes."""
    refused_at = rest.now
    while rest.now < refused_at + 20:
        rest.play(until=rest.now + step)
        try:
            rest.offer(arrival)
        except Overloaded:
            continue
        return rest.now - refused_at
    raise AssertionError("never taken")


def test_retry_after_is_true_for_long_waits():
    rng = random.Random(3)
    pool = lengths(rng, 2000)
    for seed in range(3):
        sim = Simulation(cpu, noise=random.Random(seed))
        sim.play([Arrival(number / 300, (rng.choice(pool),), 1.0) for number in range(900)])
        now = sim.now + 0.2
        sim.play([Arrival(sim.now + 0.1, (rng.choice(pool),), rng.choice((2.5, 3.0))) for _ in range(600)], now)
        arrival = Arrival(now, tuple(rng.choices(pool, k=rng.choice((600, 700, 800)))), 3.0)
        with pytest.raises(Overloaded) as refused:
            sim.offer(arrival)
        truth = wait_in_truth(arrival, sim.rest(), 0.03)
        assert truth > 0.05
        assert refused.value.reason == "deadline"
        assert refused.value.retry_after == pytest.approx(truth, rel=0.3)


def test_retry_after_is_true_at_the_edge_to_milliseconds():
    """In steady overload a request is refused for want of little, and would be taken a few milliseconds later."""
    sim, _ = Load(cpu, 1.5, 4, patience=(0.3,)).play(keep=0.05)
    assert len(sim.refused) > 15
    told = [(full.retry_after, wait_in_truth(arrival, rest)) for arrival, full, rest in sim.refused]
    true = [abs(said - truth) <= max(0.3 * truth, 0.01) for said, truth in told]
    assert sum(true) >= 0.9 * len(true), told


def test_a_full_queue_is_told_when_there_is_room():
    sim = Simulation(cpu, limits=Limits(rows=100))
    for _ in range(100):
        sim.offer(Arrival(0.0, (40,)))
    arrival = Arrival(0.0, (40,) * 30)
    with pytest.raises(Overloaded) as refused:
        sim.offer(arrival)
    assert refused.value.reason == "queue"
    sim.play([Arrival(1e-6, ())])  # anything, for the clock to start
    rest = Simulation(cpu, limits=Limits(rows=100))
    for _ in range(100):
        rest.offer(Arrival(0.0, (40,)))
    rest.play([Arrival(1e-6, ())], until=1e-5)
    assert refused.value.retry_after == pytest.approx(wait_in_truth(arrival, rest), rel=0.3)


def play_beside(live_share: float, seconds: float = 5.0, cost: Cost = cpu) -> Simulation:
    """LIVE at a share of the capacity, and more LOW work than can be done."""
    rng = random.Random(4)
    pool = lengths(rng, 2000)
    per_second = live_share * capacity(cost, pool) / (sum(pool) / len(pool))
    arrivals = [Arrival(0.0, tuple(rng.choices(pool, k=3000)), priority=Priority.LOW)]
    at = 0.0
    while (at := at + rng.expovariate(per_second)) < seconds:
        arrivals.append(Arrival(at, (rng.choice(pool),)))
    return Simulation(cost, noise=random.Random(5)).play(arrivals, until=seconds)


@pytest.mark.parametrize("live_share", [0.2, 0.5, 1.3])
def test_low_work_keeps_to_its_share_beside_live_traffic_and_never_starves(live_share):
    sim = play_beside(live_share)
    low = [(begun, seconds) for begun, batch, seconds in sim.ran if batch.priority is Priority.LOW]
    share = sum(seconds for _, seconds in low) / sim.now
    assert share <= Limits().low_share + 0.01
    assert share >= (0.15 if live_share < 1 else 0.01)
    assert max(later[0] - earlier[0] for earlier, later in pairwise(low)) < 2.0


def test_small_low_runs_do_not_count_as_full_ones():
    before = Simulation(accelerator).scheduler.costs.queue_rates()[0]
    sim = play_beside(0.1, 1.5, accelerator)
    assert sum(batch.priority is Priority.LOW for _, batch, _ in sim.ran) > 50
    assert sim.scheduler.costs.queue_rates()[0] == pytest.approx(before, rel=0.5)


def test_low_work_has_an_idle_engine_to_itself():
    sim = Simulation(cpu).play([Arrival(0.0, (40,) * 500, priority=Priority.LOW)])
    assert sim.now == pytest.approx(500 * 40 * 6e-5, rel=0.15)


def test_live_requests_wait_little_longer_beside_low_work():
    alone, beside = Load(cpu, 0.5, 5, patience=(5.0,)).play()[0], play_beside(0.5)

    def waited(sim: Simulation) -> float:
        live = [(a, t) for a, t in sim.tickets if a.priority is Priority.LIVE and t in sim.settled]
        return sum(sim.settled[ticket] - arrival.at for arrival, ticket in live) / len(live)

    assert waited(beside) < waited(alone) + 2 * Limits().low_run_s
