"""Classification heads: a linear layer on mean-pooled states of any encoder, or the encoder's own head."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    PretrainedConfig,
    PreTrainedModel,
)
from transformers.modeling_outputs import SequenceClassifierOutput

_DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout", "pooler_dropout",
             "hidden_dropout", "attention_dropout", "embedding_dropout", "mlp_dropout", "dropout", "cls_dropout",
             "seq_classif_dropout")  # fmt: skip

_SINGLE = {"dtype": "float32"}
"""An encoder stored in half precision is trained, and exported, in single."""

_SHARED = {"hidden_size", "vocab_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings"}
"""What exporters and trainers ask the outer configuration for."""


class PooledConfig(PretrainedConfig):
    """An encoder's configuration inside that of the head on top of it."""

    model_type = "babelproof_pooled"

    def __init__(
        self,
        encoder: dict[str, Any] | None = None,
        pooling: str = "mean",
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.encoder = encoder or {}
        self.pooling = pooling
        self.dropout = dropout
        for name in _SHARED & self.encoder.keys():
            setattr(self, name, self.encoder[name])


class PooledClassifier(PreTrainedModel):
    """Dropout and one linear layer on the mean of the last hidden states, padding left out.

    With pooling "pair" the layer sees (a, b, |a - b|, a * b), a and b the means over the two texts of the joint
    encoding; a single text is its own pair.
    """

    config_class = PooledConfig
    base_model_prefix = "encoder"

    def __init__(self, config: PooledConfig) -> None:
        super().__init__(config)
        inner = AutoConfig.for_model(**config.encoder)
        self.encoder = _without_pooler(AutoModel.from_config(inner, attn_implementation="eager"))
        self.dropout = nn.Dropout(config.dropout)
        width = inner.hidden_size * (4 if config.pooling == "pair" else 1)
        self.classifier = nn.Linear(width, config.num_labels)
        nn.init.normal_(self.classifier.weight, std=0.02)
        nn.init.zeros_(self.classifier.bias)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Every part has initialised itself."""

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> SequenceClassifierOutput:
        """Logits (batch, labels); inputs_embeds stand in for embedded input_ids, which still part the texts."""
        given = {"input_ids": input_ids} if inputs_embeds is None else {"inputs_embeds": inputs_embeds}
        if token_type_ids is not None:
            given["token_type_ids"] = token_type_ids
        states = self.encoder(attention_mask=attention_mask, **given).last_hidden_state
        logits = self.classifier(self.dropout(self._pool(states, input_ids, attention_mask)))
        loss = None if labels is None else nn.functional.cross_entropy(logits.float(), labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)

    def _pool(self, states: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
        if self.config.pooling == "mean":
            return _mean(states, mask)
        separator = (ids == self.config.sep_token_id).to(mask.dtype) * mask
        passed = torch.cumsum(separator, dim=1)
        first = mask * (passed == 0).to(mask.dtype)
        second = mask * (passed > 0).to(mask.dtype) * (1 - separator)
        alone = (second.sum(dim=1, keepdim=True) == 0).to(mask.dtype)
        a = _mean(states, first)
        b = _mean(states, second + first * alone)
        return torch.cat([a, b, (a - b).abs(), a * b], dim=-1)


def build(
    encoder: str, labels: Sequence[str], *, pooling: str, dropout: float, seed: int, tokenizer: Any
) -> PreTrainedModel:
    """The encoder (a folder or a hub name) with a new head; every dropout of it is set to `dropout`."""
    names = _label_maps(labels)
    inner = AutoConfig.from_pretrained(encoder)
    for name in _DROPOUTS:
        if hasattr(inner, name):
            setattr(inner, name, dropout)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if pooling == "cls":
            inner.update(names)
            return AutoModelForSequenceClassification.from_pretrained(
                encoder, config=inner, attn_implementation="eager", dtype=torch.float32
            )
        config = PooledConfig(
            encoder={name: value for name, value in inner.to_dict().items() if name != "torch_dtype"} | _SINGLE,
            pooling=pooling,
            dropout=dropout,
            sep_token_id=tokenizer.sep_token_id,
            pad_token_id=tokenizer.pad_token_id,
            **names,
        )
        model = PooledClassifier(config)
        model.encoder = _without_pooler(
            AutoModel.from_pretrained(encoder, config=inner, attn_implementation="eager", dtype=torch.float32)
        )
        return model


def special_ids(tokenizer: Any) -> list[int]:
    """Ids of tokens that are no part of a text; an unknown piece is one."""
    return sorted(set(tokenizer.all_special_ids) - {tokenizer.unk_token_id})


def load(folder: str | Path) -> PreTrainedModel:
    """A model that `build` made and save_pretrained wrote."""
    return AutoModelForSequenceClassification.from_pretrained(
        str(folder), attn_implementation="eager", dtype=torch.float32
    )


def renewed(model: PreTrainedModel, labels: Sequence[str], seed: int) -> PreTrainedModel:
    """The same encoder under a new head for other labels."""
    config = type(model.config).from_dict(model.config.to_dict() | _label_maps(labels))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager")
    fresh.base_model.load_state_dict(model.base_model.state_dict())
    return fresh


def _without_pooler(encoder: PreTrainedModel) -> PreTrainedModel:
    """An encoder that spends nothing on the pooled [CLS] state, which nobody here reads."""
    if hasattr(encoder, "pooler"):
        encoder.pooler = None
    return encoder


def _label_maps(labels: Sequence[str]) -> dict[str, Any]:
    return {"id2label": dict(enumerate(labels)), "label2id": {label: place for place, label in enumerate(labels)}}


def _mean(states: Tensor, mask: Tensor) -> Tensor:
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


AutoConfig.register(PooledConfig.model_type, PooledConfig)
AutoModelForSequenceClassification.register(PooledConfig, PooledClassifier)
