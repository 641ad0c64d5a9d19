"""Which rows run together, in which order, and what the cost model learns."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.engine.cost import CostModel
from runtime.engine.packing import SPAN_S, WORTH, pick, too_late, window
from tests.fakes_engine import SHAPES, accelerator, cpu, lengths


@dataclass(frozen=True, eq=False)
class Waiting:
    length: int
    due: float
    expires: float


def learned(cost: Callable[[int, int], float]) -> CostModel:
    model = CostModel()
    model.calibrate([(*shape, cost(*shape)) for shape in SHAPES])
    return model


MODELS = st.sampled_from([learned(cpu), learned(accelerator)])
ROWS = st.lists(
    st.builds(
        lambda length, due, left: Waiting(length, due, due if left else math.inf),
        st.integers(1, 256),
        st.floats(0.001, 2.0),
        st.booleans(),
    ),
    min_size=1,
    max_size=80,
).map(lambda rows: sorted(rows, key=lambda row: row.due))


@given(ROWS, MODELS, st.floats(0.001, 0.1), st.integers(16, 4096))
def test_a_batch_keeps_its_budgets_and_holds_the_most_urgent_row(rows, model, most_s, area):
    batch = pick(rows, model, most_s, area)
    longest = max(row.length for row in batch)
    assert rows[0] in batch
    assert len(set(map(id, batch))) == len(batch) and all(row in rows for row in batch)
    assert len(batch) == 1 or (len(batch) * longest <= area and model.run(len(batch), longest) <= most_s)


@given(ROWS, MODELS)
def test_batch_after_batch_every_row_runs_exactly_once(rows, model):
    left, ran = list(rows), []
    while left:
        batch = pick(window(left, model, 0.0, 0.16), model, 0.02, 4096)
        assert batch
        ran += batch
        left = [row for row in left if not any(row is one for one in batch)]
    assert sorted(map(id, ran)) == sorted(map(id, rows))


@given(ROWS, MODELS)
def test_whatever_order_a_window_runs_in_all_are_done_before_they_expire(rows, model):
    chosen = window(rows, model, 0.0, 0.16)
    by_token, by_square = model.full_rates()
    seconds = sum(row.length * by_token + row.length**2 * by_square for row in chosen)
    first = min(row.expires for row in chosen)
    assert chosen == rows[: len(chosen)]
    assert len(chosen) == 1 or seconds * model.safety <= max(first, WORTH * model.run(1, 1))


@given(ROWS, MODELS, st.floats(0.0, 2.0))
def test_without_those_who_are_too_late_the_rest_is_in_time_and_with_one_more_it_is_not(rows, model, now):
    late, longest = too_late(rows, model, now), max(row.length for row in rows)
    rest = [row for row in rows if all(row is not one for one, _ in late)]
    assert len(late) + len(rest) == len(rows)
    assert all(row.expires > now + model.run(len(rest), longest) for row in rest)
    assert all(row.expires <= done == now + model.run(len(rest) + 1, longest) for row, done in late)


@given(ROWS, MODELS)
def test_nobody_overtakes_by_more_than_the_span(rows, model):
    assert all(row.due <= rows[0].due + SPAN_S for row in window(rows, model, 0.0, 1.0))


def test_rows_of_like_length_run_together():
    model = learned(cpu)
    rows = [Waiting(length, 1.0, math.inf) for length in (64, 8, 8, 64, 9, 62, 8, 64)]
    assert sorted(row.length for row in pick(rows, model, 0.05, 4096)) == [62, 64, 64, 64]
    assert sorted(row.length for row in pick(rows[1:], model, 0.05, 4096)) == [8, 8, 8, 9]


def test_where_starting_a_run_is_dear_unlike_rows_share_one():
    rows = [Waiting(length, 1.0, math.inf) for length in (64, 8, 8, 64, 9, 62, 8, 64)]
    assert len(pick(rows, learned(accelerator), 0.05, 4096)) == len(rows)


@pytest.mark.parametrize("cost", [cpu, accelerator])
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), rows=st.integers(4, 64), longest=st.integers(20, 128))
def test_costs_are_learned_from_noisy_runs_with_hiccups(cost, seed, rows, longest):
    rng, model = random.Random(seed), CostModel()
    for _ in range(400):
        count, most = rng.randint(1, 64), max(lengths(rng, 3))
        hiccup = 20 if rng.random() < 0.02 else 1
        model.learn(count, most, count * most, cost(count, most) * rng.lognormvariate(0, 0.05) * hiccup, backlog=True)
    assert model.run(rows, longest) == pytest.approx(cost(rows, longest), rel=0.25)


def test_a_machine_that_grows_slower_is_noticed():
    model = learned(cpu)
    for _ in range(300):
        model.learn(10, 40, 400, 3 * cpu(10, 40), backlog=True)
    assert model.run(10, 40) == pytest.approx(3 * cpu(10, 40), rel=0.1)
    assert model.run(20, 20) == pytest.approx(3 * cpu(20, 20), rel=0.3)


def test_what_depends_on_length_alone_is_learned_for_that_length():
    def stepped(rows: int, longest: int) -> float:
        return cpu(rows, longest) * (1.5 if longest > 64 else 1.0)

    model, rng = learned(cpu), random.Random(5)
    for _ in range(2000):
        rows, longest = rng.randint(1, 16), rng.choice((24, 40, 90, 120))
        model.learn(rows, longest, rows * longest, stepped(rows, longest), backlog=True)
    for rows, longest in ((4, 40), (4, 120)):
        assert model.run(rows, longest) == pytest.approx(stepped(rows, longest), rel=0.12)


def test_the_safety_covers_nineteen_runs_in_twenty():
    model, rng = learned(cpu), random.Random(2)
    beyond = 0
    for number in range(6000):
        seconds = cpu(8, 40) * rng.lognormvariate(0, 0.2)
        beyond += number >= 3000 and seconds > model.run(8, 40) * model.safety
        model.learn(8, 40, 320, seconds, backlog=True)
    assert 0.02 < beyond / 3000 < 0.08
