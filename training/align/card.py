"""The model card of an aligned encoder: what it was made from, how, and what was measured."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from training.align.pairs import LEXICON, ParallelText

if TYPE_CHECKING:
    from training.align.distil import Schedule
    from training.align.pipeline import AlignOptions
    from training.encoder_quality import Score

SCORES = re.compile(r"(<!-- scores -->\n).*?(<!-- end -->)", re.DOTALL)


def render(options: AlignOptions, schedule: Schedule, pairs: ParallelText, parameters: int) -> str:
    """A card in Markdown with room for scores; a source whose licence is not in licences.toml has none stated."""
    licences = tomllib.loads((Path(__file__).parent / "licences.toml").read_text(encoding="utf-8"))
    counts = {lang: {source: len(rows) for source, rows in own.items()} for lang, own in pairs.rows.items()}
    sources = {source for own in counts.values() for source in own} | set(pairs.sources)
    per_source = "\n".join(
        f"| {source} | {sum(own.get(source, 0) for own in counts.values()):,} | "
        f"{len(pairs.sources.get(source, ())):,} | {licences.get(source, 'not stated')} |"
        for source in [*sorted(sources - {LEXICON}), LEXICON]
    )
    per_lang = ", ".join(f"{lang} {sum(own.values()):,}" for lang, own in sorted(counts.items()))
    return f"""# A multilingual sentence encoder of {len(counts) + 1} languages

English and {len(counts)} languages brought to where the English teacher `{options.teacher}` puts the English sentence.
`AutoModel` and `AutoTokenizer` load it; a sentence's vector is the mean of its last hidden states.
{parameters:,} parameters, {options.vocab_size:,} lower-cased pieces, embeddings of {options.embedding_size} widened.

Made by `babelproof-train align` with {schedule.steps:,} steps of {options.tokens_per_batch:,} padded pieces, learning
rates {schedule.learning_rate:g} and {schedule.embedding_learning_rate:g} (embeddings), languages drawn by the power
{options.language_exponent:g} of their size, English {options.english_share:.0%} of all texts, {schedule.negatives:,}
negatives a step, seed {options.seed}.

## Text

| source | pairs with English | English texts no source before has | licence |
| --- | ---: | ---: | --- |
{per_source}

Pairs by language: {per_lang}.

## Measured

<!-- scores -->
Not measured yet; `babelproof-train evaluate-encoder FOLDER --data DATA --card` writes a table here.
<!-- end -->
"""


def with_scores(card: str, scores: Sequence[Score], means: dict[str, float]) -> str:
    """The card with the scores in their place."""
    measures = list(dict.fromkeys(one.measure for one in scores))
    cells = {(one.measure, one.lang): f"{one.accuracy:.3f} [{one.low:.3f}, {one.high:.3f}] | {one.n}" for one in scores}
    lines = [
        "Accuracy with 95 % Wilson interval: SIB-200 test by a linear probe trained on English alone, and retrieval",
        "into English at 1, of Tatoeba sentences and of 600 XNLI hypotheses.",
        "",
        "| language | " + " | ".join(f"{measure} | n" for measure in measures) + " |",
        "| --- | " + " | ".join("---: | ---:" for _ in measures) + " |",
        *(
            f"| {lang} | " + " | ".join(cells.get((measure, lang), "not measured | 0") for measure in measures) + " |"
            for lang in sorted({one.lang for one in scores})
        ),
        "| mean without English | " + " | ".join(f"{means[measure]:.3f} | " for measure in measures) + " |",
    ]
    table = "\n".join(lines) + "\n"
    return SCORES.sub(lambda found: found[1] + table + found[2], card)
