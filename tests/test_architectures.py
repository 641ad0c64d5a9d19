"""Encoders of every architecture are trained, exported and served by the same code, under every head."""

from __future__ import annotations

import io
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from transformers import AutoTokenizer

import runtime
from probes.types import Example, Item
from runtime.manifest import Manifest, Onnx
from tests.fakes_architectures import ARCHITECTURES, tiny
from tests.fakes_encoder import TEXTS
from training import head
from training.export import export
from training.objective import Objective
from training.passes import Passes

LABELS = ("sports", "politics", "health")
POOLINGS = ("mean", "pair", "cls")
ITEMS = [Item(text, texts[0] if number else None) for texts in TEXTS.values() for number, text in enumerate(texts)]
QUICK = {("bert", "cls"), ("distilbert", "mean"), ("deberta-v2", "pair")}
"""Exports of a few seconds that together meet every head; the others run with the slow tests."""


@pytest.fixture(scope="module", params=sorted(ARCHITECTURES))
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an encoder of each architecture in turn."""
    return tiny(tmp_path_factory.mktemp(request.param), request.param)


def built(folder: Path, pooling: str) -> tuple[Any, Any]:
    """The encoder under a new head, and its tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = head.build(str(folder), LABELS, pooling=pooling, dropout=0, seed=1, tokenizer=tokenizer)
    return model, tokenizer


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_step_moves_encoder_and_head(encoder: Path, pooling: str) -> None:
    model, tokenizer = built(encoder, pooling)
    pairs = [item for item in ITEMS if item.pair is not None][:3]
    batch = tokenizer([item.text for item in pairs], [item.pair for item in pairs], padding=True, return_tensors="pt")
    answer = model(**batch, labels=torch.tensor([0, 1, 2]))
    assert answer.logits.shape == (3, 3)
    torch.testing.assert_close(answer.loss, torch.nn.functional.cross_entropy(answer.logits, torch.tensor([0, 1, 2])))
    answer.loss.backward()
    words = model.get_input_embeddings().weight.grad
    used = torch.zeros(len(words), dtype=torch.bool)
    used[batch["input_ids"][batch["attention_mask"].bool()]] = True
    assert torch.isfinite(words).all()
    assert (words[used].norm(dim=1) > 0).all()
    assert not words[~used].any(), "padding and pieces that are not there learn nothing"
    assert {name for name, part in model.named_parameters() if part.grad is None} == set()


@pytest.mark.parametrize("pooling", POOLINGS)
def test_an_adversarial_step_reaches_every_place(encoder: Path, pooling: str) -> None:
    model, tokenizer = built(encoder, pooling)
    pairs = [item for item in ITEMS if item.pair is not None][:3]
    batch = dict(tokenizer([item.text for item in pairs], [item.pair for item in pairs], padding=True,
                           return_tensors="pt"), labels=torch.tensor([0, 1, 2]))  # fmt: skip
    special = torch.tensor(head.special_ids(tokenizer))
    passes = Passes(model.train(), batch, special, torch.Generator().manual_seed(0))
    for place in ("embeddings", "states"):
        vectors = passes.vectors(place)  # type: ignore[arg-type]
        same = passes.shifted(place, torch.zeros_like(vectors))  # type: ignore[arg-type]
        torch.testing.assert_close(same, passes.clean)
        moved = passes.shifted(place, vectors.flip(2))  # type: ignore[arg-type]
        assert (moved - passes.clean).abs().max() > 1e-6
        objective = Objective([{"name": "adversarial", "place": place, "epsilon": 0.5, "steps": 2}])
        loss, parts = objective.loss(passes)
        assert parts["adversarial"] > parts["clean"]
        loss.backward(retain_graph=True)
    assert {name for name, part in model.named_parameters() if part.grad is None} == set()


@pytest.mark.parametrize(
    ("architecture", "pooling"),
    [
        pytest.param(*case, marks=() if case in QUICK else pytest.mark.slow)
        for case in product(sorted(ARCHITECTURES), POOLINGS)
    ],
)
def test_the_folder_answers_like_the_model(tmp_path: Path, architecture: str, pooling: str) -> None:
    model, tokenizer = built(tiny(tmp_path / "encoder", architecture), pooling)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if not name.startswith(model.base_model_prefix):
                weights.mul_(20)  # a new head hardly tells texts apart
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    said = Manifest(labels=LABELS, languages=("de",), max_length=40, encoder="tiny", licence="CC0-1.0", pairs=True,
                    onnx=Onnx(precision="fp32"))  # fmt: skip
    rows = [Example(str(number), item, "de") for number, item in enumerate(ITEMS)]
    manifest = export(tmp_path / "model", tmp_path / "out", manifest=said, rows=rows,
                      console=Console(file=io.StringIO()))  # fmt: skip
    assert manifest.parity is not None and manifest.parity.fp32_max_difference is not None
    assert manifest.parity.fp32_max_difference < 1e-4
    expected = []
    with torch.inference_mode():
        for item in ITEMS:
            encoded = tokenizer(item.text, item.pair, truncation="longest_first", max_length=40, return_tensors="pt")
            expected.append(torch.softmax(model.eval()(**encoded).logits[0], dim=-1).numpy())
    answers = runtime.load(tmp_path / "out")(ITEMS)
    np.testing.assert_allclose(answers, np.stack(expected), atol=1e-4)
    assert answers.std(axis=0).max() > 0.005, "the texts do differ"
