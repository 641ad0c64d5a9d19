"""The model every peer serves: the folder's graph and tokenizer on one thread, as somebody would write it in an hour.

It imports nothing of this project, so that it runs in every peer's environment.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer


class Model:
    """Labels of texts, a padded batch at a time."""

    def __init__(self) -> None:
        folder = Path(os.environ["SERVED_MODEL"])
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        self.labels = manifest["labels"]
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(manifest["max_length"])
        self._tokenizer.enable_padding(pad_id=manifest["onnx"]["pad_id"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(folder / manifest["onnx"]["file"]), options)
        self._inputs = {node.name for node in self._session.get_inputs()}
        self(["warm up"])

    def __call__(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """The best label of every text, with its score."""
        encoded = self._tokenizer.encode_batch(list(texts))
        feeds = {
            "input_ids": np.array([one.ids for one in encoded], dtype=np.int64),
            "attention_mask": np.array([one.attention_mask for one in encoded], dtype=np.int64),
            "token_type_ids": np.array([one.type_ids for one in encoded], dtype=np.int64),
        }
        (logits,) = self._session.run(["logits"], {name: feeds[name] for name in self._inputs})
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares = weights / weights.sum(axis=1, keepdims=True)
        best = shares.argmax(axis=1)
        return [{"label": self.labels[at], "score": float(row[at])} for row, at in zip(shares, best, strict=True)]
