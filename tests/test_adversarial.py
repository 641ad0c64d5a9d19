"""Training methods that perturb vectors: their balls, their passes, and what reaches which gradient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.fakes_training import build_encoder
from training import head
from training.ball import Ball, radius, token_norm
from training.methods.adversarial import Adversarial
from training.methods.consistency import Consistency, between
from training.methods.random_perturbation import RandomPerturbation
from training.objective import Objective
from training.passes import Passes, hooked
from training.tables import TableError

SPECIAL = torch.tensor([0, 1, 2])
BALLS = [("l2", "token"), ("l2", "sequence"), ("linf", "token"), ("linf", "sequence")]
PLACES = ["embeddings", "states"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any]:
    from transformers import AutoTokenizer

    folder = build_encoder(tmp_path_factory.mktemp("encoder"))
    return str(folder), AutoTokenizer.from_pretrained(folder)


def value(tensor: Tensor) -> float:
    return float(tensor.detach())


def model_of(tiny: tuple[str, Any], dropout: float = 0.0) -> Any:
    model = head.build(tiny[0], ("a", "b", "c"), pooling="mean", dropout=dropout, seed=3, tokenizer=tiny[1])
    return model.double().train()


class Watched(Passes):
    """Passes that keep every perturbation they are asked for."""

    def __init__(self, model: Any) -> None:
        super().__init__(model, batch(), SPECIAL, torch.Generator().manual_seed(0))
        self.seen: list[Tensor] = []

    def shifted(self, place: Any, delta: Tensor, *, frozen: bool = False) -> Tensor:
        self.seen.append(delta.detach().clone())
        return super().shifted(place, delta, frozen=frozen)


def batch(length: int = 7) -> dict[str, Tensor]:
    """Three texts of 5, 3 and 1 content tokens between <s> and </s>, padded to the length."""
    ids = torch.ones(3, length, dtype=torch.long)
    for row, size in enumerate((5, 3, 1)):
        ids[row, : size + 2] = torch.tensor([0, *range(4 + row, 4 + row + size), 2])
    return {"input_ids": ids, "attention_mask": (ids != 1).long(), "labels": torch.tensor([0, 1, 2])}


def passes_of(model: Any, seed: int = 0, length: int = 7) -> Passes:
    return Passes(model, batch(length), SPECIAL, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("place", PLACES)
def test_no_shift_is_the_clean_pass_and_special_and_padding_tokens_never_move(tiny: Any, place: Any) -> None:
    model = model_of(tiny)
    passes = passes_of(model)
    vectors = passes.vectors(place)
    assert torch.allclose(passes.shifted(place, torch.zeros_like(vectors)), passes.clean)
    assert passes.content[..., 0].sum(dim=1).tolist() == [5, 3, 1]
    only_elsewhere = 9 * (1 - passes.content) * torch.ones_like(vectors)
    assert torch.allclose(passes.shifted(place, only_elsewhere), passes.clean)
    moved = passes.shifted(place, torch.ones_like(vectors) * torch.arange(vectors.shape[2]))
    assert not torch.allclose(moved, passes.clean)
    longer = passes_of(model, length=11)
    shift = torch.ones_like(longer.vectors(place)) * torch.arange(vectors.shape[2])
    assert torch.allclose(longer.shifted(place, shift), moved), "padding changes nothing"


def test_states_are_what_the_head_sees_and_gradients_pass_them_unless_frozen(tiny: Any) -> None:
    model = model_of(tiny)
    passes = passes_of(model)
    delta = torch.randn(3, 7, 32, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    last = model.encoder.encoder.layer[-1]
    with hooked(last, lambda out: (out[0] + delta * passes.content, *out[1:]) if isinstance(out, tuple)
                else out + delta * passes.content):  # fmt: skip
        expected = model(**{name: value for name, value in batch().items() if name != "labels"}).logits
    assert torch.allclose(passes.shifted("states", delta), expected)
    assert last is model.encoder.encoder.layer[-1], "the blocks are back"
    weight = model.get_input_embeddings().weight
    assert torch.autograd.grad(passes.shifted("states", delta).sum(), weight, retain_graph=True)[0].abs().sum() > 0
    assert torch.autograd.grad(
        passes.shifted("states", delta, frozen=True).sum(), weight, allow_unused=True
    ) == (None,)  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_the_gradient_of_the_inner_step_is_the_finite_difference(tiny: Any, place: Any) -> None:
    passes = passes_of(model_of(tiny))
    rng = torch.Generator().manual_seed(4)
    delta = (0.1 * torch.randn(passes.vectors(place).shape, generator=rng)).double().requires_grad_()

    def loss(at: Tensor) -> Tensor:
        logits = passes.shifted(place, at, frozen=True)
        return F.cross_entropy(logits, passes.labels)

    (gradient,) = torch.autograd.grad(loss(delta), delta)
    assert (gradient * (1 - passes.content) == 0).all()
    for _ in range(5):
        way = torch.randn(delta.shape, generator=rng).double()
        step = 1e-5
        with torch.no_grad():
            slope = (loss(delta + step * way) - loss(delta - step * way)) / (2 * step)
        assert value((gradient * way).sum()) == pytest.approx(value(slope), rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("norm", "per"), BALLS)
def test_pgd_raises_the_loss_from_within_the_ball_and_leaks_no_gradient(
    tiny: Any, place: Any, norm: Any, per: Any
) -> None:
    model = model_of(tiny)
    passes = Watched(model)
    method = Adversarial(place=place, norm=norm, per=per, epsilon=0.5, steps=4)
    penalty = method.penalty(passes)
    assert all(parameter.grad is None for parameter in model.parameters()), "ascent leaves no gradient behind"
    assert len(passes.seen) == 5
    reach = radius(0.5, "relative", norm, per, passes.vectors(place), passes.content)
    ball = Ball(norm, per, reach, passes.content)
    assert all((ball.size(delta) <= reach * (1 + 1e-5)).all() for delta in passes.seen)
    assert all((delta * (1 - passes.content) == 0).all() for delta in passes.seen)
    start = F.cross_entropy(passes.shifted(place, passes.seen[0]), passes.labels)
    assert value(penalty) > max(value(start), value(passes.cross_entropy(passes.clean)))
    penalty.backward()
    expected = model_of(tiny)
    other = passes_of(expected)
    other.cross_entropy(other.shifted(place, passes.seen[4])).backward()
    for one, two in zip(model.parameters(), expected.parameters(), strict=True):
        assert (one.grad is None) == (two.grad is None)
        assert one.grad is None or torch.allclose(one.grad, two.grad), (
            "the outer gradient is that at the last point alone"
        )


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("start", ["zero", "random"])
def test_free_adds_up_the_gradients_of_all_its_passes(tiny: Any, place: Any, start: Any) -> None:
    model = model_of(tiny)
    options = {"name": "adversarial", "form": "free", "steps": 3, "start": start, "place": place, "clean_weight": 0.5}
    passes = Watched(model)
    total, parts = Objective([options | ({"clean_weight": 0.0} if start == "random" else {})]).loss(passes)
    total.backward()
    assert len(passes.seen) == 4 and set(parts) == {"adversarial"}
    weights = [0.5, 1 / 3, 1 / 3, 1 / 3] if start == "zero" else [0.25] * 4
    assert (start == "zero") == bool((passes.seen[0] == 0).all())
    expected = model_of(tiny)
    other = passes_of(expected)
    losses = [
        weight * other.cross_entropy(other.shifted(place, delta))
        for weight, delta in zip(weights, passes.seen, strict=True)
    ]
    summed = torch.stack(losses).sum()
    summed.backward()
    assert value(total) == pytest.approx(value(summed))
    for one, two in zip(model.parameters(), expected.parameters(), strict=True):
        assert (one.grad is None) == (two.grad is None)
        assert one.grad is None or torch.allclose(one.grad, two.grad)


def passes_counted(model: Any) -> Iterator[list[int]]:
    counts: list[int] = []
    handle = model.encoder.encoder.layer[0].register_forward_hook(lambda *_: counts.append(1))
    yield counts
    handle.remove()


@pytest.mark.parametrize(
    ("options", "passes"),
    [
        ({"name": "plain"}, 1),
        ({"name": "random-perturbation"}, 1),
        ({"name": "random-perturbation", "place": "states", "draws": 3, "clean_weight": 1.0}, 1),
        ({"name": "random-perturbation", "draws": 3, "clean_weight": 1.0}, 4),
        ({"name": "adversarial", "form": "free", "steps": 1, "start": "zero"}, 2),
        ({"name": "adversarial", "form": "free", "steps": 3, "start": "zero"}, 4),
        ({"name": "adversarial", "form": "free", "steps": 3, "clean_weight": 0.0}, 4),
        ({"name": "adversarial", "form": "free", "steps": 3}, 5),
        ({"name": "adversarial", "steps": 3}, 5),
        ({"name": "adversarial", "place": "states", "steps": 3}, 1),
        ({"name": "consistency", "perturbations": []}, 2),
    ],
)
def test_a_method_costs_the_passes_it_says(tiny: Any, options: dict[str, Any], passes: int) -> None:
    model = model_of(tiny, dropout=0.1)
    counting = passes_counted(model)
    counts = next(counting)
    Objective([options]).loss(passes_of(model))[0].backward()
    assert len(counts) == passes


@pytest.mark.parametrize("place", PLACES)
def test_passes_of_one_step_share_dropout_and_leave_the_global_state_alone(tiny: Any, place: Any) -> None:
    model = model_of(tiny, dropout=0.5)
    before = torch.get_rng_state()
    passes = passes_of(model)
    none = torch.zeros_like(passes.vectors(place))
    assert torch.equal(passes.shifted(place, none), passes.clean)
    assert not torch.allclose(passes.again, passes.clean), "a fresh mask is another"
    assert not torch.allclose(passes_of(model, seed=1).clean, passes.clean)
    assert torch.equal(passes_of(model).clean, passes.clean), "the generator alone decides"
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("method", [Adversarial(), RandomPerturbation(), RandomPerturbation(distribution="uniform")])
def test_the_random_state_is_an_argument(tiny: Any, method: Any) -> None:
    model = model_of(tiny)
    drawn = [value(method.penalty(passes_of(model, seed))) for seed in (5, 5, 6)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("distribution", ["gaussian", "uniform"])
def test_random_perturbation_averages_draws_of_the_size_it_says(tiny: Any, distribution: Any) -> None:
    passes = Watched(model_of(tiny))
    method = RandomPerturbation(distribution=distribution, scale=0.2, draws=40, weight=0.5)
    penalty = value(method.penalty(passes))
    drawn = torch.stack(passes.seen)
    assert len(drawn) == 40
    size = 0.2 * value(token_norm(passes.vectors("embeddings"), passes.content)) / drawn.shape[-1] ** 0.5
    if distribution == "gaussian":
        assert value(drawn.std()) == pytest.approx(size, rel=0.03)
    else:
        assert value(drawn.abs().max()) == pytest.approx(size, rel=0.01)
    losses = [value(passes.cross_entropy(passes.shifted("embeddings", delta))) for delta in drawn]
    assert penalty == pytest.approx(0.5 * float(np.mean(losses)))


def test_divergences_are_what_they_are_called() -> None:
    rng = torch.Generator().manual_seed(0)
    a, b = torch.randn(4, 3, generator=rng), torch.randn(4, 3, generator=rng)
    p, q = a.softmax(-1), b.softmax(-1)
    middle = (p + q) / 2
    symmetric = ((p * (p / q).log()).sum(-1) + (q * (q / p).log()).sum(-1)) / 2
    jensen = ((p * (p / middle).log()).sum(-1) + (q * (q / middle).log()).sum(-1)) / 2
    assert value(between(a, b, "kl")) == pytest.approx(value(symmetric.mean()), rel=1e-5)
    assert value(between(a, b, "js")) == pytest.approx(value(jensen.mean()), rel=1e-5)
    assert value(between(a, a, "kl")) == pytest.approx(0, abs=1e-7)


def test_consistency_compares_with_the_second_version_or_with_another_mask(tiny: Any) -> None:
    model = model_of(tiny)
    rows = batch()
    noisy = rows["input_ids"].clone()
    noisy[0, 1] = 9
    given = rows | {"view_input_ids": noisy, "view_attention_mask": rows["attention_mask"]}
    passes = Passes(model, given, SPECIAL, torch.Generator().manual_seed(0))
    method = Consistency(weight=2.0, noisy=0.5)
    other = model(input_ids=noisy, attention_mask=rows["attention_mask"]).logits
    expected = 2 * between(passes.clean, other, "js") + 0.5 * F.cross_entropy(other.float(), rows["labels"])
    assert value(method.penalty(passes)) == pytest.approx(value(expected))
    assert value(Consistency(perturbations=()).penalty(passes_of(model))) == pytest.approx(0, abs=1e-7)
    dropping = passes_of(model_of(tiny, dropout=0.5))
    assert value(Consistency(perturbations=(), divergence="kl").penalty(dropping)) > 1e-6


def test_methods_in_combination_share_the_clean_pass_and_the_least_weight_counts(tiny: Any) -> None:
    model = model_of(tiny)
    both = Objective([{"name": "adversarial"}, {"name": "random-perturbation", "clean_weight": 0.5}])
    total, parts = both.loss(passes_of(model))
    assert list(parts) == ["adversarial", "random-perturbation", "clean"]
    assert value(total) == pytest.approx(sum(value(part) for part in parts.values()))
    assert value(parts["clean"]) == pytest.approx(0.5 * value(passes_of(model).cross_entropy(passes_of(model).clean)))
    fast = {"name": "adversarial", "form": "free", "steps": 1, "start": "zero"}
    assert "clean" not in Objective([fast, {"name": "consistency", "perturbations": []}]).loss(passes_of(model))[1]
    with pytest.raises(TableError, match="nothing to minimise"):
        Objective([{"name": "tests.fakes_training:Silent"}]).loss(passes_of(model))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "adversarial", "epsilon": -0.1}, "epsilon .* above 0, not -0.1"),
        ({"name": "adversarial", "epsilon": float("nan")}, "epsilon .* not nan"),
        ({"name": "adversarial", "steps": 0}, "steps must be at least 1"),
        ({"name": "adversarial", "norm": "l1"}, "norm must be one of 'l2', 'linf'"),
        ({"name": "random-perturbation", "scale": 0.0}, "scale .* above 0"),
        ({"name": "random-perturbation", "draws": 0}, "draws must be at least 1"),
        ({"name": "consistency", "strength": 1.5}, "strength is a share"),
        ({"name": "consistency", "perturbations": ["keybord"]}, "keyboard"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(TableError, match=message):
        Objective([options])
