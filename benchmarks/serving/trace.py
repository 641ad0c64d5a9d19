"""The texts asked for: sentences of many languages, from one to many joined, in a drawn order."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from probes.data import read_examples
from runtime.manifest import TOKENIZER, read

LENGTHS = {1: 0.55, 2: 0.22, 4: 0.15, 8: 0.06, 16: 0.02}
"""How many sentences make a text, and how often: most are short, a few fill the model."""


def texts(sources: list[Path], model: Path, count: int, rng: np.random.Generator) -> list[str]:
    """`count` texts, each in one language, no two alike, none longer than the model reads: some peers cannot cut."""
    manifest = read(model)
    tokenizer = Tokenizer.from_file(str(model / TOKENIZER))
    sentences: dict[str, list[str]] = defaultdict(list)
    for source in sources:
        for example in read_examples(source):
            sentences[example.lang].append(example.item.text)
    langs = sorted(sentences)
    made: dict[str, None] = {}
    while len(made) < count:
        spoken = sentences[langs[rng.integers(len(langs))]]
        length = int(rng.choice(list(LENGTHS), p=list(LENGTHS.values())))
        parts = [spoken[place] for place in rng.integers(len(spoken), size=length)]
        text = f"{' '.join(parts)} {len(made)}"
        if len(tokenizer.encode(text)) <= manifest.max_length:
            made[text] = None
    return list(made)
