"""Encoders of every architecture that is trained here: two layers, random but seeded, each framed as its kind is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    AutoModel,
    BertConfig,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    ModernBertConfig,
    PretrainedConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
    XLMRobertaConfig,
)

from tests.fakes_encoder import TEXTS, build_tokenizer

_SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 66,
}
_FRAMED_AS_ROBERTA = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
_FRAMED_AS_BERT = {"pad_token_id": 0, "cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "eos_token_id": 3}
_DISENTANGLED = {  # as mDeBERTa-v3 is
    "relative_attention": True,
    "position_biased_input": False,
    "pos_att_type": ["p2c", "c2p"],
    "position_buckets": 16,
    "norm_rel_ebd": "layer_norm",
    "share_att_key": True,
    "type_vocab_size": 0,
}
ARCHITECTURES: dict[str, tuple[type[PretrainedConfig], dict[str, Any]]] = {
    "bert": (BertConfig, _FRAMED_AS_BERT),
    "xlm-roberta": (XLMRobertaConfig, _FRAMED_AS_ROBERTA | {"type_vocab_size": 1}),
    "roberta": (RobertaConfig, _FRAMED_AS_ROBERTA | {"type_vocab_size": 1}),
    "electra": (ElectraConfig, _FRAMED_AS_BERT | {"embedding_size": 16}),
    "distilbert": (DistilBertConfig, _FRAMED_AS_BERT | {"hidden_dim": 64}),
    "modernbert": (ModernBertConfig, _FRAMED_AS_BERT | {"local_attention": 8, "global_attn_every_n_layers": 2}),
    "deberta-v2": (DebertaV2Config, _FRAMED_AS_BERT | _DISENTANGLED),
}
_WITH_TOKEN_TYPES = {"bert", "electra", "deberta-v2"}


def tiny(folder: Path, architecture: str) -> Path:
    """Write an encoder of that architecture with its tokenizer; weights are large enough for texts to differ."""
    kind, more = ARCHITECTURES[architecture]
    tokenizer = build_tokenizer() if kind in (XLMRobertaConfig, RobertaConfig) else _wordpieces(architecture)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        model = AutoModel.from_config(kind(vocab_size=len(tokenizer), **_SMALL | more), attn_implementation="eager")
        for weights in model.parameters():
            if weights.dim() == 2:
                torch.nn.init.normal_(weights, std=0.2)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _wordpieces(architecture: str) -> PreTrainedTokenizerFast:
    """Letters as pieces, framed as BERT does: [CLS] a [SEP] b [SEP]."""
    special = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    letters = sorted(set("".join(text for texts in TEXTS.values() for text in texts)) - {" "} | {"a", "b"})
    pieces = (*special, *letters, *(f"##{letter}" for letter in letters))
    tokenizer = Tokenizer(models.WordPiece({piece: n for n, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = ["input_ids", "attention_mask"]
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=64,
        model_input_names=[*names, "token_type_ids"] if architecture in _WITH_TOKEN_TYPES else names,
    )
