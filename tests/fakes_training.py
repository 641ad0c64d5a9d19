"""A two-layer encoder with its own tokenizer, and small English and German sets of keyword sentences."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from probes.types import Example, Item
from training.methods.plain import Plain
from training.recipe import Recipe

WORDS = {
    "en": {"sports": ("football", "team", "match", "goal"), "health": ("doctor", "nurse", "vaccine", "fever")},
    "de": {"sports": ("fussball", "mannschaft", "spiel", "tor"), "health": ("arzt", "pflege", "impfung", "fieber")},
}
FILLER = {"en": ("the", "a", "was", "today", "big"), "de": ("der", "ein", "war", "heute", "gross")}
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")


def build_encoder(folder: Path, *, languages: Sequence[str] = ("de", "en")) -> Path:
    """Write a random encoder (2 layers, hidden 32) whose tokenizer knows the words above, one piece each."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

    words = [word for by_label in WORDS.values() for group in by_label.values() for word in group]
    words += [word for group in FILLER.values() for word in group]
    vocabulary = {word: number for number, word in enumerate((*SPECIAL, *words))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        model_max_length=64,
        model_input_names=["input_ids", "attention_mask"],
    ).save_pretrained(folder)
    config = XLMRobertaConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=68,
        type_vocab_size=1,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        XLMRobertaModel(config, add_pooling_layer=False).save_pretrained(folder)
    (folder / "languages.json").write_text(json.dumps(list(languages)))
    return folder


def write_set(folder: Path, split: str, rows: int, *, languages: Sequence[str] = ("en",), pairs: bool = False) -> Path:
    """Write folder/SPLIT.jsonl of sentences with one keyword of their label; of pairs: same label or not."""
    rng = np.random.default_rng(len(split) + rows)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{split}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for lang in languages:
            for number in range(rows):
                first, second = (str(label) for label in rng.choice(sorted(WORDS[lang]), 2))
                row = {"id": f"{split}-{number}", "lang": lang, "text": _sentence(lang, first, rng), "label": first}
                if pairs:
                    row["text_pair"] = _sentence(lang, second, rng)
                    row["label"] = "same" if first == second else "different"
                file.write(json.dumps(row) + "\n")
    return path


def _sentence(lang: str, label: str, rng: np.random.Generator) -> str:
    words = [*rng.choice(FILLER[lang], int(rng.integers(2, 9))), rng.choice(WORDS[lang][label])]
    return " ".join(str(word) for word in rng.permutation(words))


def write_recipe(path: Path, encoder: Path, stages: Sequence[str], *, head: str = "", test: str = "") -> Path:
    """Write a recipe of stages given as TOML lines each; `head` goes before them, `test` into [test]."""
    parts = [f'name = "{path.stem}"\nencoder = "{encoder}"\nmax_length = 32\n{head}']
    parts += [f"[[stage]]\n{stage}" for stage in stages]
    parts += [f"[test]\n{test}"] if test else []
    path.write_text("\n".join(parts), encoding="utf-8")
    return path


STAGE = 'name = "one"\ndata = ["toy:train"]\ndev = ["toy:dev"]\nepochs = 4\nbatch = 8\nlearning_rate = 2e-3\n'


def build_place(root: Path) -> Path:
    """A folder with an encoder and, under data/, the sets toy (sports or health) and pairs (same or not)."""
    build_encoder(root / "encoder")
    for name, pairs in (("toy", False), ("pairs", True)):
        for split, rows in (("train", 160), ("dev", 40)):
            write_set(root / "data" / name, split, rows, pairs=pairs)
        write_set(root / "data" / name, "test", 30, languages=("de", "en"), pairs=pairs)
    return root


def trained(plan: Recipe, place: Path, out: Path, tokenizer: Any) -> tuple[Any, dict[str, Any]]:
    """Train the first stage of a plan in memory."""
    from rich.console import Console

    from training import loop, run
    from training.inputs import gather

    inputs = gather(plan, place / "data")
    model = run._start(inputs, 0, out)
    work = loop.Work(plan, plan.stage[0], 0, model, tokenizer, inputs.labels(0), inputs.train[0].examples,
                     inputs.dev[0].examples, out / "stage", out / "logs", Console(stderr=True))  # fmt: skip
    return model, loop.train(work)


@dataclass(frozen=True)
class Renaming(Plain):
    """A method that numbers its draws in the text of every example and takes half the loss."""

    clean_weight = 0.5

    @property
    def fresh(self) -> bool:
        return True

    def prepare(self, examples: Sequence[Example], rng: np.random.Generator) -> list[Example]:
        mark = " today" * int(rng.integers(1, 1000) % 7)
        return [replace(row, item=Item(row.item.text + mark, row.item.pair)) for row in examples]


class Silent(Plain):
    """A method that takes the clean term away and puts nothing in its place."""

    clean_weight = 0.0


@dataclass(frozen=True)
class BreakingLoss(Plain):
    """A method whose loss is no number from the 31st step on."""

    calls: list[int] = field(default_factory=list)

    def penalty(self, passes: Any) -> Any:
        self.calls.append(1)
        if len(self.calls) > 30:
            passes.clean = passes.clean * float("nan")
        return None


@dataclass(frozen=True)
class BreakingGradient(BreakingLoss):
    """A method whose gradient is no number from the 31st step on, while its loss still is one."""

    def penalty(self, passes: Any) -> Any:
        self.calls.append(1)
        zero = (passes.clean * 0).sum()
        return zero.clamp(min=0).sqrt() if len(self.calls) > 30 else zero
