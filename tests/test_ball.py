"""Balls of perturbations: projection, steepest ascent, random points, and one dose for every kind."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from training.ball import Ball, radius, token_norm

BALLS = [("l2", "token"), ("l2", "sequence"), ("linf", "token"), ("linf", "sequence")]


def value(tensor: Tensor) -> float:
    return float(tensor.detach())


def ball_of(norm: Any, per: Any, size: float = 0.3) -> Ball:
    content = torch.tensor([[0, 1, 1, 1, 0.0], [0, 1, 0, 0, 0]])[..., None]
    return Ball(norm, per, torch.tensor(size), content)


@pytest.mark.parametrize(("norm", "per"), BALLS)
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), stretch=st.floats(0.001, 100))
def test_projection_ends_inside_the_ball_and_leaves_what_is_inside(
    norm: Any, per: Any, seed: int, stretch: float
) -> None:
    ball = ball_of(norm, per)
    delta = stretch * torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(seed))
    inside = ball.project(delta)
    assert (ball.size(inside) <= 0.3 * (1 + 1e-5)).all()
    assert (inside * (1 - ball.content) == 0).all(), "nothing moves off the content"
    assert torch.allclose(ball.project(inside), inside, atol=1e-7)
    small = 0.2 * ball.steepest(delta)
    assert torch.allclose(ball.project(small), small), "a point inside stays"
    nearer = ball.project(delta + 1e-3 * torch.randn_like(delta))
    masked = delta * ball.content
    assert (masked - inside).norm() <= (masked - nearer).norm() * (1 + 1e-5) + 1e-5, (
        "no other point of the ball is nearer"
    )


@pytest.mark.parametrize(("norm", "per"), BALLS)
def test_the_steepest_direction_beats_every_other_of_its_norm(norm: Any, per: Any) -> None:
    ball, rng = ball_of(norm, per), torch.Generator().manual_seed(0)
    gradient = torch.randn(2, 5, 4, generator=rng)
    best = ball.steepest(gradient)
    assert torch.allclose(ball.size(best)[0, 1 if per == "token" else 0], torch.ones(1))
    for _ in range(50):
        other = ball.random(gradient, rng) / 0.3
        assert (gradient * other).sum() <= (gradient * best).sum() + 1e-5
    assert (ball.steepest(torch.zeros(2, 5, 4)) == 0).all()


@pytest.mark.parametrize(("norm", "per"), BALLS)
def test_a_random_start_fills_the_ball_evenly(norm: Any, per: Any) -> None:
    ball, rng = ball_of(norm, per), torch.Generator().manual_seed(1)
    like = torch.zeros(2, 5, 2)
    drawn = torch.stack([ball.random(like, rng) for _ in range(4000)])
    assert (drawn * (1 - ball.content) == 0).all()
    sizes = torch.stack([ball.size(one) for one in drawn])[:, 1, 1 if per == "token" else 0, 0] / 0.3
    assert sizes.max() <= 1 + 1e-6
    # one token of two coordinates: the share of points within half the radius is (1/2) squared
    assert abs(value((sizes < 0.5).float().mean()) - 0.25) < 0.03


def test_relative_radii_give_every_ball_the_same_dose() -> None:
    content = ball_of("l2", "token").content
    vectors = torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(2))
    norm = token_norm(vectors, content)
    assert norm == pytest.approx(value(vectors.norm(dim=2)[content[..., 0] == 1].mean()))
    assert value(radius(0.1, "relative", "l2", "token", vectors, content)) == pytest.approx(value(0.1 * norm))
    assert value(radius(0.1, "relative", "linf", "token", vectors, content)) == pytest.approx(value(0.1 * norm / 4))
    whole = radius(0.1, "relative", "l2", "sequence", vectors, content)
    assert whole.flatten().tolist() == pytest.approx([value(0.1 * norm * 3**0.5), value(0.1 * norm)])
    assert value(radius(0.1, "absolute", "l2", "token", vectors, content)) == pytest.approx(0.1)
