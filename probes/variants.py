"""Variants of a text for a glance at its robustness: a fixed mix of small slips, drawn in a fraction of a millisecond.

`probes.noise` lists every edit there is before it draws a few. Here a place is drawn first, and a perturbation is asked
for its edits of the two letters (or words) there alone; what it says of them is remembered. These are edits that it has
for the whole text, too.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from probes import languages, perturbations
from probes.languages import Language
from probes.text import graphemes, intact, letters, splice, words
from probes.types import Edit, Item

MIX = ("keyboard", "homoglyph", "swap", "case", "drop", "whitespace", "repeat", "invisible")
"""Perturbations, in the order in which variants are drawn from them."""
SHARES = {"grapheme": 0.06, "word": 0.12}
"""Edits for each letter or word of a text, by what a perturbation changes; there is at least one."""
APART = 8
"""Code points between two edits: so far from each other no two make graphemes melt."""
_LONG = 24
"""Code points of a word, as text without borders has them, beyond which it is more than one place."""
_TRIES = 8
"""Places looked at for every edit wanted, before a perturbation is taken to have none."""

Place = tuple[int, int, int]
"""Side (0 text, 1 pair), start and end of two letters, or words, that follow each other."""


@dataclass(frozen=True, slots=True)
class Variant:
    """An item as one perturbation has changed it."""

    probe: str
    item: Item
    edits: tuple[Edit, ...]
    pair_edits: tuple[Edit, ...]


def variants(item: Item, lang: str, count: int, seed: int, reach: int) -> list[Variant]:
    """So many variants, from the perturbations of MIX in turn; fewer or none where they find nothing to change.

    Fixed by seed, item, language and reach; the first of many are those of few. Nothing is changed beyond the first
    `reach` code points of a text.
    """
    language = languages.get(lang)
    key = json.dumps([seed, item.text, item.pair, language.code]).encode()
    rng = random.Random(hashlib.sha256(key).digest())
    sides = [text for text in (item.text, item.pair) if text is not None]
    places = {
        unit: [(side, *span) for side, text in enumerate(sides) for span in cut(text[:reach], language)]
        for unit, cut in (("grapheme", _letters), ("word", _words))
    }
    left, drawn = list(MIX), list[Variant]()
    while left and len(drawn) < count:
        probe = left.pop(0)
        edits = _draw(probe, sides, language.code, places[perturbations.unit(probe)], rng)
        if any(edits):
            drawn.append(Variant(probe, Item(*map(splice, sides, edits)), edits[0], edits[1] if edits[1:] else ()))
            left.append(probe)
    return drawn


def _draw(
    probe: str, sides: Sequence[str], code: str, places: Sequence[Place], rng: random.Random
) -> list[tuple[Edit, ...]]:
    """Edits by one perturbation on each side, as many as its share, or as it finds."""
    found: list[list[Edit]] = [[] for _ in sides]
    wanted = max(1, round(SHARES[perturbations.unit(probe)] * len(places)))
    for _ in range(_TRIES * wanted if places else 0):
        side, start, end = places[int(rng.random() * len(places))]
        offered = _offered(probe, code, sides[side][start:end])
        if not offered:
            continue
        first, last, new = offered[int(rng.random() * len(offered))]
        edit = Edit(start + first, start + last, new)
        if _apart(edit, found[side]) and intact(sides[side], edit):
            found[side].append(edit)
            wanted -= 1
        if not wanted:
            break
    return [tuple(sorted(edits)) for edits in found]


def _apart(edit: Edit, others: Sequence[Edit]) -> bool:
    return all(edit.start >= other.end + APART or other.start >= edit.end + APART for other in others)


@lru_cache(maxsize=32_768)
def _offered(probe: str, code: str, text: str) -> tuple[tuple[int, int, str], ...]:
    """The edits of a perturbation to two letters or words."""
    found = perturbations.get(probe)(text, languages.get(code))
    return tuple((edit.start, edit.end, edit.new) for edit in found)


def _letters(text: str, language: Language) -> Iterator[tuple[int, int]]:
    """Every letter with the next one of its word."""
    for run in letters(text, language):
        yield from ((start, end) for (start, _), (_, end) in pairwise(run)) if run[1:] else run


def _words(text: str, language: Language) -> Iterator[tuple[int, int]]:
    """Every word with the next one; a long one in parts."""
    parts: list[tuple[int, int]] = []
    for start, end in words(text, language):
        if end - start <= _LONG:
            parts.append((start, end))
        else:
            cuts = [start, *(left for left, _ in graphemes(text) if start < left < end)][:: _LONG // 2]
            parts += zip(cuts, [*cuts[1:], end], strict=True)
    return ((start, parts[min(index + 1, len(parts) - 1)][1]) for index, (start, _) in enumerate(parts))
