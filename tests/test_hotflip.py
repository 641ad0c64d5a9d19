"""HotFlip: its estimates against the loss itself, its search against a blind one, and a gradient that costs a query."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from probes import battery
from probes.oracle import BudgetSpent, Oracle
from probes.types import Edit, Example, Item
from tests.fakes import KeywordClassifier
from tests.fakes_training import WORDS, build_encoder
from training import head
from training.hotflip import HotFlip, Sloped

TEXT = "the football team was big today"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("torch")
    encoder = build_encoder(place / "encoder")
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    model = head.build(str(encoder), ("no", "yes"), pooling="mean", dropout=0.0, seed=1, tokenizer=tokenizer)
    with torch.no_grad():
        model.classifier.weight.mul_(20)
    model.save_pretrained(place / "model")
    tokenizer.save_pretrained(place / "model")
    return place / "model"


def exchanges() -> list[Edit]:
    """Every word of the text for every other that the tokenizer knows."""
    known = [word for group in WORDS["en"].values() for word in group]
    spans = [(0, 3), (4, 12), (13, 17), (18, 21), (22, 25), (26, 31)]
    return [Edit(*span, word) for span in spans for word in known if word != TEXT[slice(*span)]]


def spliced(edit: Edit) -> Item:
    return Item(TEXT[: edit.start] + edit.new + TEXT[edit.end :])


def test_the_estimates_rank_edits_as_the_loss_does(folder: Path) -> None:
    model, edits = Sloped(folder), exchanges()
    items = [spliced(edit) for edit in edits]
    clean = model([Item(TEXT)])[0]
    label = int(clean.argmax())
    true = -np.log(model(items)[:, label]) + np.log(clean[label])
    estimated = model.gains(Item(TEXT), label, items)
    assert estimated.shape == (len(edits),)
    assert np.corrcoef(true, estimated)[0, 1] > 0.8
    assert model.gains(Item(TEXT), label, [Item(TEXT)])[0] == 0


def test_estimates_are_numbers_for_longer_shorter_and_empty_texts(folder: Path) -> None:
    model = Sloped(folder)
    others = [Item(""), Item(TEXT + " nurse"), Item("team " + TEXT), Item("football"), Item(TEXT, "a team")]
    assert np.isfinite(model.gains(Item(TEXT), 0, others)).all()
    assert np.isfinite(model.gains(Item(""), 0, [Item("team")])).all()


def test_it_finds_the_best_single_edit_with_few_queries_and_pays_for_gradients(folder: Path) -> None:
    attack, model = HotFlip(str(folder)), Sloped(folder)
    label = int(model([Item(TEXT)])[0].argmax())
    edits = exchanges()
    oracle = Oracle(model)

    def one(text: str, chosen: object) -> bool:
        return len(chosen) == 1  # type: ignore[arg-type]

    attempt = attack(Item(TEXT), label, edits, oracle, one, np.random.default_rng(0))
    left = model([spliced(edit) for edit in edits])[:, label]
    reached = float(left[edits.index(attempt.edits[0])])
    assert reached <= np.quantile(left, 0.05), "among the best of all"
    assert attempt.queries == oracle.queries == 1 + 1 + 16, "the text, a gradient, the edits tried"
    with pytest.raises(BudgetSpent, match="1 queries wanted, 0 of 1 left"):
        attack(Item(TEXT), label, edits, Oracle(model, budget=1), one, np.random.default_rng(0))


def test_a_step_names_it_and_other_labels_are_refused(folder: Path) -> None:
    step = {
        "name": "white box", "kind": "attack", "attack": f"training.hotflip:{folder}", "budget": 60,
        "perturbations": ["drop", "keyboard"], "strength": 1.0,
    }  # fmt: skip
    chosen = battery.parse({"steps": [step]})
    [outcome] = battery.run(chosen, Sloped(folder), [Example("1", Item(TEXT), "en")]).outcomes
    assert outcome.status in ("held", "fooled") and 2 < outcome.queries <= 60
    with pytest.raises(ValueError, match="the gradients are of the labels no, yes, the search is after a, b"):
        battery.run(chosen, KeywordClassifier({"a": (), "b": ("team",)}), [Example("1", Item(TEXT), "en")])
    with pytest.raises(battery.BatteryError, match="no folder of a torch classifier"):
        battery.parse({"steps": [step | {"attack": f"training.hotflip:{folder}/none"}]})
