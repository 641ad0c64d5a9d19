"""The tokenizer of an aligned encoder: one Unigram vocabulary in which no language starves the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
MASK = "<mask>"
# Soft hyphen, zero-width space, word joiner, invisible operators, byte-order mark, bidi marks and controls and the
# like say nothing to a classifier.
# The zero-width joiners U+200C and U+200D stay: Persian and the Indic scripts spell with them.
INVISIBLE = r"[\u00AD\u034F\u061C\u180E\u200B\u200E\u200F\u202A-\u202E\u2060-\u2064\u2066-\u206F\uFEFF]"


def balanced(texts: Mapping[str, Sequence[str]], per_language: int, seed: int) -> list[str]:
    """At most per_language texts of every language, drawn without replacement."""
    rng = np.random.default_rng([seed, 1])
    chosen: list[str] = []
    for lang in sorted(texts):
        own = texts[lang]
        order = rng.permutation(len(own))[:per_language]
        chosen.extend(own[i] for i in order)
    return chosen


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """A lower-casing NFKC Unigram tokenizer with at most vocab_size pieces, special pieces first and <mask> last."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(INVISIBLE), ""),
            normalizers.NFKC(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"\s+"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    trainer = trainers.UnigramTrainer(
        vocab_size=vocab_size - 1, special_tokens=list(SPECIAL), unk_token="<unk>", show_progress=True
    )
    tokenizer.train_from_iterator(texts, trainer=trainer)
    tokenizer.add_special_tokens([MASK])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[(piece, tokenizer.token_to_id(piece)) for piece in ("<s>", "</s>")],
    )
    return tokenizer


def wrap(tokenizer: Tokenizer, max_length: int) -> PreTrainedTokenizerFast:
    """The transformers face of the tokenizer, of a class that transformers 4 and 5 both load."""
    from transformers import XLMRobertaTokenizerFast

    return XLMRobertaTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token=MASK,
        model_max_length=max_length,
    )
