"""What a step of each training method costs against a plain one: rows prepared and encoded, passes, update."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, TypedDict

import numpy as np
import torch
from transformers import AutoTokenizer

from probes.types import Example
from training import head
from training.epochs import Collator, Encoder, drawn
from training.loop import bf16_works
from training.objective import Objective
from training.passes import Passes

ROUNDS = 9
BATCH = 32
WAYS: dict[str, list[dict[str, Any]]] = {
    "plain": [{"name": "plain"}],
    "augment, fresh": [{"name": "augment"}],
    "random-perturbation, embeddings, 1 draw": [{"name": "random-perturbation"}],
    "random-perturbation, states, 3 draws and clean": [
        {"name": "random-perturbation", "place": "states", "draws": 3, "clean_weight": 1.0}
    ],
    "adversarial, free, 1 step": [{"name": "adversarial", "form": "free", "start": "zero", "steps": 1}],
    "adversarial, free, 3 steps": [{"name": "adversarial", "form": "free", "start": "zero", "steps": 3}],
    "adversarial, pgd, 3 steps": [{"name": "adversarial", "steps": 3}],
    "adversarial, states, pgd, 3 steps": [{"name": "adversarial", "place": "states", "steps": 3}],
    "consistency": [{"name": "consistency"}],
}


class Cost(TypedDict):
    """Seconds of a step over those of a plain one in the same round: median, lowest and highest of the rounds."""

    way: str
    ratio: float
    low: float
    high: float


def measure(encoder: Path, examples: Sequence[Example]) -> list[Cost]:
    """Every method takes one step on the same rows in turn, ROUNDS times after two rounds to warm up."""
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    labels = sorted({str(example.label) for example in examples})
    model = head.build(str(encoder), labels, pooling="mean", dropout=0.0, seed=1, tokenizer=tokenizer).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-6)
    encode, collate = Encoder(tokenizer, labels, 128), Collator(tokenizer)
    special, rng = torch.tensor(head.special_ids(tokenizer)), np.random.default_rng(0)
    objectives = {name: Objective(chosen) for name, chosen in WAYS.items()}

    def step(objective: Objective, rows: Sequence[Example]) -> float:
        start = time.perf_counter()
        batch = collate(drawn(objective, rows, encode, rng))
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16_works("auto")):
            loss, _ = objective.loss(Passes(model, batch, special, torch.Generator().manual_seed(0)))
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        return time.perf_counter() - start

    rounds = []
    for number in range(ROUNDS + 2):
        rows = [examples[(number * BATCH + place) % len(examples)] for place in range(BATCH)]
        rounds.append({name: step(objective, rows) for name, objective in objectives.items()})
    ratios = {name: sorted(times[name] / times["plain"] for times in rounds[2:]) for name in WAYS}
    return [Cost(way=name, ratio=median(values), low=values[0], high=values[-1]) for name, values in ratios.items()]
