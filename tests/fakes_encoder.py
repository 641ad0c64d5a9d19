"""Two-layer sequence classifiers of several architectures, random but seeded, with a tokenizer of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    DebertaV2Config,
    ElectraConfig,
    ModernBertConfig,
    PretrainedConfig,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaTokenizerFast,
)

TEXTS = {
    "en": ("the doctor voted for the team", "a match in the hospital", "no news today"),
    "de": ("der Arzt wählt die Mannschaft", "ein Spiel im Krankenhaus", "heute nichts Neues"),
    "ru": ("врач голосует за команду", "матч в больнице", "сегодня нет новостей"),
}
_SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 66,
    "pad_token_id": 1,
}
ARCHITECTURES: dict[str, type[PretrainedConfig]] = {
    "bert": BertConfig,
    "xlm-roberta": XLMRobertaConfig,
    "deberta-v2": DebertaV2Config,
    "electra": ElectraConfig,
    "modernbert": ModernBertConfig,
}


def build_tokenizer() -> PreTrainedTokenizerFast:
    """Letters as pieces, framed as XLM-R does: <s> a </s></s> b </s>."""
    letters = sorted(set("".join(text for texts in TEXTS.values() for text in texts)) | {"▁", "a", "b"})
    vocabulary = [(token, 0.0) for token in ("<s>", "<pad>", "</s>", "<unk>")] + [(letter, -3.0) for letter in letters]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    special: dict[str, Any] = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    return XLMRobertaTokenizerFast(
        tokenizer_object=tokenizer, cls_token="<s>", sep_token="</s>", model_max_length=64, **special
    )


def build_encoder_folder(
    path: Path, architecture: str = "xlm-roberta", labels: Sequence[str] = ("sports", "politics", "health")
) -> Path:
    """A Hugging Face folder of a random classifier whose weights are large enough for labels to differ."""
    tokenizer = build_tokenizer()
    names = dict(enumerate(labels))
    more: dict[str, Any] = {"relative_attention": False} if architecture == "deberta-v2" else {}
    if architecture == "modernbert":
        more = {"cls_token_id": 0, "bos_token_id": 0, "eos_token_id": 2, "sep_token_id": 2}
    config = ARCHITECTURES[architecture](
        vocab_size=len(tokenizer), id2label=names, label2id={label: n for n, label in names.items()}, **_SMALL, **more
    )
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager")
        for weights in model.parameters():
            if weights.dim() == 2:
                torch.nn.init.normal_(weights, std=0.2)
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path
