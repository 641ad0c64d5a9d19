"""Distillation: sentences of every language are pulled to where an English teacher puts their English translation.

After Reimers and Gurevych, "Making Monolingual Sentence Embeddings Multilingual using Knowledge Distillation", 2020
(arXiv 2004.09813). Ours: teacher vectors computed once, and beside the squared distance a contrastive term, whose
negatives cost next to nothing: they are the teacher's vectors of the batch and of other English texts.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F
from transformers import PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from probes.files import replacing
from training.align.mixture import Mixture

Progress = Callable[[int, str], None]
"""Called with the amount of work done so far and a note."""

SCALE = 20.0
NEAR = 0.9
"""Cosine between two English texts from which on the one is no negative of the other."""
WORDS = "embeddings.word_embeddings."


@dataclass(frozen=True)
class Schedule:
    """How long and how fast; the learning rate warms up, stays, and falls to zero over the last share of the steps."""

    steps: int
    learning_rate: float = 3e-4
    embedding_learning_rate: float = 1e-3
    warmup: int = 200
    decay: float = 0.6
    contrastive: float = 0.3
    negatives: int = 0
    """English texts drawn at every step, besides those of the batch."""
    checkpoint_every: int = 250

    def factor(self, step: int) -> float:
        """Share of the full learning rate at a step."""
        left = (self.steps - step) / max(1.0, self.decay * self.steps)
        return max(0.0, min(1.0, (step + 1) / self.warmup, left))


def pooled(model: PreTrainedModel, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean of the last hidden states over the pieces of each text, of length one: shape (texts, width)."""
    hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
    return F.normalize((hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True), dim=-1)


def device() -> torch.device:
    """The accelerator where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def encode(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    texts: Sequence[str],
    max_length: int,
    tokens_per_batch: int = 8192,
    progress: Progress = lambda done, note: None,
) -> NDArray[np.float32]:
    """Sentence vectors of shape (texts, width), of length one."""
    ids = tokenizer(list(texts), truncation=True, max_length=max_length)["input_ids"]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    vectors = np.zeros((len(ids), model.config.hidden_size), np.float32)
    where = next(model.parameters()).device
    start = 0
    with torch.inference_mode(), torch.autocast(where.type, dtype=torch.bfloat16):
        while start < len(order):
            end = start + 1
            while end < len(order) and (end + 1 - start) * len(ids[order[end]]) <= tokens_per_batch:
                end += 1
            rows = order[start:end]
            batch = tokenizer.pad({"input_ids": [ids[i] for i in rows]}, return_tensors="pt").to(where)
            vectors[rows] = pooled(model, batch["input_ids"], batch["attention_mask"]).float().cpu().numpy()
            start = end
            progress(start, "")
    return vectors


def teacher_vectors(
    teacher: PreTrainedModel, tokenizer: Tokenizer, texts: Sequence[str], cache: Path, progress: Progress
) -> NDArray[np.float16]:
    """The teacher's vectors of the English texts, kept in cache for a run that is resumed."""
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
    file = cache / f"teacher-{digest}.npy"
    if file.exists():
        return np.load(file)
    vectors = encode(teacher.to(device()), tokenizer, texts, 128, progress=progress).astype(np.float16)
    with replacing(file) as temporary:
        np.save(temporary, vectors)
    return vectors


def loss_of(student: torch.Tensor, teacher: torch.Tensor, others: torch.Tensor, contrastive: float) -> torch.Tensor:
    """Squared distance plus weighted contrastive cross-entropy, of vectors of length one.

    Row i of student (n, width) belongs to row i of teacher (n, width); its negatives are all other rows of teacher and
    those of others (m, width), unless they are nearly the same.
    """
    distance = (student - teacher).pow(2).sum(-1).mean()
    every = torch.cat([teacher, others])
    own = torch.eye(len(teacher), len(every), dtype=torch.bool, device=teacher.device)
    scores = (SCALE * student @ every.T).masked_fill((teacher @ every.T > NEAR) & ~own, -1e4)
    return distance + contrastive * F.cross_entropy(scores, torch.arange(len(teacher), device=teacher.device))


def distil(
    student: PreTrainedModel,
    mixture: Mixture,
    targets: NDArray[np.float16],
    schedule: Schedule,
    work: Path,
    pad: int,
    progress: Progress = lambda done, note: None,
) -> None:
    """Train the student in place; checkpoints in work, from which the same call goes on after a stop."""
    where = device()
    student.to(where).train()
    embedding = [parameter for name, parameter in student.named_parameters() if name.startswith(WORDS)]
    rest = [parameter for name, parameter in student.named_parameters() if not name.startswith(WORDS)]
    groups = [
        {"params": embedding, "lr": schedule.embedding_learning_rate, "weight_decay": 0.0},
        {"params": rest, "lr": schedule.learning_rate, "weight_decay": 0.01},
    ]
    optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimiser, schedule.factor)
    checkpoint, start = work / "checkpoint.pt", 0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=where, weights_only=True)
        student.load_state_dict(state["student"])
        optimiser.load_state_dict(state["optimiser"])
        scheduler.last_epoch = start = state["step"]
    began, average = time.monotonic(), 0.0
    for step, (ids, rows) in zip(range(start, schedule.steps), mixture.batches(start, pad), strict=False):
        batch = torch.from_numpy(ids).to(where)
        with torch.autocast(where.type, dtype=torch.bfloat16):
            vectors = pooled(student, batch, (batch != pad).long())
        drawn = np.random.default_rng([mixture.seed, step]).integers(len(targets), size=schedule.negatives)
        teacher, others = (
            F.normalize(torch.from_numpy(targets[which]).to(where).float(), dim=-1) for which in (rows, drawn)
        )
        loss = loss_of(vectors, teacher, others, schedule.contrastive)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        scheduler.step()
        average += (loss.item() - average) / min(step - start + 1, 50)
        progress(step + 1, f"(loss {average:.4f})")
        if (step + 1) % schedule.checkpoint_every == 0 or step + 1 == schedule.steps:
            state = {"student": student.state_dict(), "optimiser": optimiser.state_dict(), "step": step + 1}
            with replacing(checkpoint) as temporary:
                torch.save(state, temporary)
            line = {"step": step + 1, "loss": round(average, 5), "seconds": round(time.monotonic() - began, 1)}
            with (work / "log.jsonl").open("a") as log:
                log.write(json.dumps(line | {"schedule": asdict(schedule)}) + "\n")
    student.eval()
