"""Passes that several methods share, and encoders whose blocks cannot be cut short."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import AlbertConfig, AutoModelForSequenceClassification, XLMConfig

from tests.test_adversarial import PLACES, Watched, model_of, passes_of, tiny, value
from training.objective import Objective

__all__ = ["tiny"]


@pytest.mark.parametrize("place", PLACES)
def test_the_free_form_weighs_its_clean_pass_as_all_methods_together_say(tiny: Any, place: Any) -> None:
    """With RS-RP, without a clean term, the first pass only points the way; of two free forms one pays for it."""
    fast = {"name": "adversarial", "form": "free", "steps": 1, "start": "zero", "place": place}
    silent = {"name": "tests.fakes_training:Silent"}
    for methods, clean, adversarial in (([fast, silent], 0, 1), ([fast, fast], 1, 2), ([fast], 1, 1)):
        model, passes = model_of(tiny), Watched(model_of(tiny))
        passes.model = model
        total, _ = Objective(methods).loss(passes)
        total.backward()
        assert passes.seen[1].abs().sum() > 0
        expected = model_of(tiny)
        other = passes_of(expected)
        losses = (other.cross_entropy(other.shifted(place, delta)) for delta in passes.seen[:2])
        summed = sum(weight * loss for weight, loss in zip((clean, adversarial), losses, strict=True))
        assert isinstance(summed, Tensor)
        summed.backward()
        assert value(total) == pytest.approx(value(summed))
        for one, two in zip(model.parameters(), expected.parameters(), strict=True):
            assert one.grad is None or two.grad is None or torch.allclose(one.grad, two.grad)


SMALL = {"vocab_size": 20, "num_labels": 3, "pad_token_id": 1}
WITHOUT_A_STACK = [
    AlbertConfig(**SMALL, embedding_size=8, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
                 intermediate_size=16),
    XLMConfig(**SMALL, emb_dim=16, n_layers=2, n_heads=2),
]  # fmt: skip


@pytest.mark.parametrize("config", WITHOUT_A_STACK, ids=lambda config: config.model_type)
def test_an_encoder_that_is_no_stack_of_blocks_trains_but_not_at_its_states(config: Any) -> None:
    model = AutoModelForSequenceClassification.from_config(config).train()
    for method in ({"name": "plain"}, {"name": "adversarial", "steps": 1}):
        Objective([method]).loss(passes_of(model))[0].backward()
    with pytest.raises(ValueError, match=r'Model is no stack of blocks .*; write place = "embeddings"'):
        Objective([{"name": "adversarial", "place": "states"}]).loss(passes_of(model))


def test_r_drop_is_cross_entropy_twice_and_half_of_both_divergences(tiny: Any) -> None:
    model = model_of(tiny, dropout=0.5)
    passes, same = passes_of(model), passes_of(model)
    options = {"name": "consistency", "perturbations": [], "divergence": "kl", "noisy": 1.0, "weight": 5.0}
    total, _ = Objective([options]).loss(passes)
    one, other = same.clean, same.again
    expected = F.cross_entropy(one.float(), same.labels) + F.cross_entropy(other.float(), same.labels)
    p, q = one.float().softmax(-1), other.float().softmax(-1)
    both = ((p * (p / q).log()).sum(-1) + (q * (q / p).log()).sum(-1)).mean()
    assert value(total) == pytest.approx(value(expected + 5 * both / 2), rel=1e-5)
