"""Which texts are judged: rows drawn alike in every language, and texts that meet the pairs of other languages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from probes import languages as known
from probes.types import Example, Item
from training import data
from training.data import Loaded, Source
from training.evaluation.outcomes import EvaluationError
from training.evaluation.suite import Languages


def load(sources: Sequence[Source], languages: Languages, root: Path) -> Loaded:
    """All rows of the languages; DataError or EvaluationError where a language has none."""
    found = data.load(sources, root, None if isinstance(languages, str) else languages or None)
    if languages == "known":
        kept = tuple(row for row in found.examples if row.lang in known.codes())
        found = Loaded(kept, found.hashes)
    if not isinstance(languages, str):
        _present(languages, found.examples, ", ".join(source.source for source in sources))
    return found


def chosen(examples: Sequence[Example], languages: Sequence[str], rows: int | None, seed: int) -> list[Example]:
    """The languages asked for (none: all), at most so many rows of each, every language the same ids if it has them.

    Ids are ranked by a hash of seed and id, so a smaller choice is the beginning of a larger one, in every part.
    """
    _present(languages, examples, "the clean texts")
    by_language: dict[str, list[Example]] = {}
    for example in examples:
        if not languages or example.lang in languages:
            by_language.setdefault(example.lang, []).append(example)
    return [
        row
        for _, own in sorted(by_language.items())
        for row in sorted(own, key=lambda example: _rank(example.id, seed))[:rows]
    ]


@dataclass(frozen=True)
class Pairs:
    """Every text with the pair of its twin in every language; `dropped` counts all whose two labels disagree."""

    examples: tuple[Example, ...]
    languages: tuple[str, ...]
    dropped: int


def pairs(examples: Sequence[Example], rows: int | None, seed: int) -> Pairs:
    """All ordered pairs of languages, i = j included, aligned by id (Huang et al. 2021, arXiv 2104.08645).

    With `rows`, ids that every language has, with one label, are drawn once for all pairs. The example of text
    language de and pair language fr has the language "de-fr".
    """
    texts: dict[str, dict[str, Example]] = {}
    for example in examples:
        if example.item.pair is None:
            raise EvaluationError(
                f"generalized transfer needs pairs of texts; the row {example.id} ({example.lang}) is a single text."
            )
        texts.setdefault(example.lang, {})[example.id] = example
    wanted = _shared(texts, rows, seed)
    ids = sorted({id_ for own in texts.values() for id_ in own})
    kept: list[Example] = []
    dropped = 0
    for first, second in product(sorted(texts), repeat=2):
        for id_ in ids:
            a, b = texts[first].get(id_), texts[second].get(id_)
            if a is None or b is None:
                continue
            if a.label != b.label:
                dropped += 1
            elif wanted is None or id_ in wanted:
                kept.append(Example(id_, Item(a.item.text, b.item.pair), f"{first}-{second}", a.label))
    return Pairs(tuple(kept), tuple(sorted(texts)), dropped)


def _shared(texts: dict[str, dict[str, Example]], rows: int | None, seed: int) -> set[str] | None:
    """So many of the ids that all languages have and label alike; None: no limit."""
    common = set.intersection(*(set(own) for own in texts.values()))
    if len(texts) < 2 or not common:
        raise EvaluationError(
            "no ids are parallel: generalized transfer needs rows of one id in two or more languages, "
            f"and the languages {', '.join(sorted(texts))} share none."
        )
    if rows is None:
        return None
    agreeing = [id_ for id_ in common if len({own[id_].label for own in texts.values()}) == 1]
    return set(sorted(agreeing, key=lambda id_: _rank(id_, seed))[:rows])


def _present(languages: Iterable[str], examples: Sequence[Example], where: str) -> None:
    there = {example.lang for example in examples}
    if missing := [lang for lang in languages if lang not in there]:
        raise EvaluationError(
            f"{where}: no rows in {', '.join(missing)}; the languages there are {', '.join(sorted(there))}."
        )


def _rank(id_: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{id_}".encode()).digest()
