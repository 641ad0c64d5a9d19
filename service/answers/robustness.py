"""The robustness card of a text: what small slips do to the model's answer, drawn and judged with the answer itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from starlette.datastructures import QueryParams

from probes.detect import detect
from probes.statistics.intervals import wilson
from probes.types import Edit, Item, Probabilities
from probes.variants import Variant, variants
from service.answers.schemas import LANGUAGE_CODE, ChangedSpan, LabelScore, SpokenLanguage
from service.http.errors import Refusal
from service.http.openapi import asked

MOST_VARIANTS = 64
_SEEDS = 2**32
_REACH = 4
"""Code points of a text that are changed, for each token the model reads: what it cuts off is left alone."""

QUERY = (
    asked(
        "robustness",
        "Variants of each input to judge it by.",
        {"type": "integer", "minimum": 1, "maximum": MOST_VARIANTS},
    ),
    asked(
        "seed",
        "Of the variants; the same one gives the same card.",
        {"type": "integer", "minimum": 0, "maximum": _SEEDS - 1},
    ),
    asked(
        "lang",
        "The language of all inputs, or of each one; detected without it.",
        {"type": "array", "items": {"type": "string", "pattern": f"^{LANGUAGE_CODE.pattern}$"}},
    ),
)


class ProbeFlips(BaseModel):
    """The perturbation whose variants changed the label most often; of those alike, the one that came nearest to it."""

    name: str
    flips: int
    n: int


class WorstVariant(BaseModel):
    """The variant that left the label of the text as it was least ahead of the others, or furthest behind."""

    probe: str
    changed: str
    edits: list[ChangedSpan]
    changed_pair: str | None
    pair_edits: list[ChangedSpan]
    label: str
    margin: float


class Card(BaseModel):
    """How one input stands small slips; all of it but language and margin is null where there was nothing to change.

    flip_rate: the share of the variants with another label, low to high its 95 % interval. margin: by how much the
    probability of the label is above the next one's; least_margin the same on the worst variant, below 0 after a flip.
    """

    language: SpokenLanguage
    seed: int
    margin: float
    variants: int = 0
    flips: int = 0
    flip_rate: float | None = None
    low: float | None = None
    high: float | None = None
    least_margin: float | None = None
    weakest: ProbeFlips | None = None
    worst: WorstVariant | None = None


class RobustAnswer(BaseModel):
    """The answer of /predict with robustness: what it is without, and a card for every input."""

    predictions: list[LabelScore] | list[list[LabelScore]]
    robustness: list[Card]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asks of a card: variants for each input, their seed, the languages (one for all, or one each)."""

    variants: int
    seed: int
    languages: tuple[str, ...]

    @classmethod
    def of(cls, query: QueryParams, inputs: int, max_rows: int) -> Wish | None:
        """What the address of a request asks; None where it asks for no card; Refusal 413 or 422."""
        if "robustness" not in query:
            if "seed" in query or "lang" in query:
                raise Refusal(
                    422, "contradiction", "seed and lang are those of a robustness card; send robustness, too."
                )
            return None
        wish = cls(
            _whole(query, "robustness", 1, MOST_VARIANTS),
            _whole(query, "seed", 0, _SEEDS - 1) if "seed" in query else 0,
            tuple(query.getlist("lang")),
        )
        if not all(LANGUAGE_CODE.fullmatch(code) for code in wish.languages):
            raise Refusal(422, "wrong_type", "lang must be the code of a language, such as de or pt-BR.")
        if len(wish.languages) not in (0, 1, inputs):
            sentence = f"lang stands {len(wish.languages)} times for {inputs} inputs; send it once, or once for each."
            raise Refusal(422, "unequal_lengths", sentence)
        if (rows := inputs * (wish.variants + 1)) > max_rows:
            sentence = f"{inputs} inputs with {wish.variants} variants each are {rows} texts; at most {max_rows}"
            raise Refusal(413, "too_many_variants", f"{sentence} are allowed in one request.")
        return wish


@dataclass(frozen=True, slots=True)
class Drawn:
    """One input, the language it is taken to be in, and its variants."""

    language: SpokenLanguage
    variants: list[Variant]


def draw(items: Sequence[Item], wish: Wish, max_length: int) -> list[Drawn]:
    """The variants of every item; languages that are not given are detected."""
    given = wish.languages * (len(items) if len(wish.languages) == 1 else 1) or [None] * len(items)
    drawn = []
    for item, code in zip(items, given, strict=True):
        language = spoken(item.text, code)
        found = variants(item, language.lang, wish.variants, wish.seed, _REACH * max_length)
        drawn.append(Drawn(language, found))
    return drawn


def spoken(text: str, given: str | None) -> SpokenLanguage:
    """The language of a text: what the client says, or what is detected."""
    if given:
        return SpokenLanguage(lang=given, source="given", confidence=None)
    code, confidence = detect(text)
    return SpokenLanguage(lang=code, source="detected", confidence=round(confidence, 4))


def cards(drawn: Sequence[Drawn], probabilities: Probabilities, labels: Sequence[str], seed: int) -> list[Card]:
    """A card for every input; probabilities of the inputs, then of all their variants, in order."""
    found, at = [], len(drawn)
    for clean, one in zip(probabilities, drawn, strict=False):
        rows = probabilities[at : at + len(one.variants)]
        found.append(_card(one, clean, rows, labels, seed))
        at += len(rows)
    return found


def _card(one: Drawn, clean: NDArray[np.float32], rows: Probabilities, labels: Sequence[str], seed: int) -> Card:
    label = int(clean.argmax())
    card = Card(language=one.language, seed=seed, margin=_margin(clean, label))
    if not len(rows):
        return card
    flipped = (rows.argmax(axis=1) != label).tolist()
    margins = [_margin(row, label) for row in rows]
    worst, flips = margins.index(min(margins)), sum(flipped)
    low, high = wilson(flips, len(rows))
    card.variants, card.flips, card.flip_rate = len(rows), flips, round(flips / len(rows), 4)
    card.low, card.high, card.least_margin = round(low, 4), round(high, 4), margins[worst]
    card.weakest = _weakest(one.variants, flipped, margins)
    card.worst = _worst(one.variants[worst], labels[int(rows[worst].argmax())], margins[worst])
    return card


def _weakest(drawn: Sequence[Variant], flipped: Sequence[bool], margins: Sequence[float]) -> ProbeFlips:
    by_probe: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    for variant, flip, margin in zip(drawn, flipped, margins, strict=True):
        by_probe[variant.probe].append((flip, margin))

    def weakness(name: str) -> tuple[float, float]:
        found = by_probe[name]
        return sum(flip for flip, _ in found) / len(found), -min(margin for _, margin in found)

    name = max(by_probe, key=weakness)
    return ProbeFlips(name=name, flips=sum(flip for flip, _ in by_probe[name]), n=len(by_probe[name]))


def _worst(variant: Variant, label: str, margin: float) -> WorstVariant:
    return WorstVariant(
        probe=variant.probe,
        changed=variant.item.text,
        edits=[_span(edit) for edit in variant.edits],
        changed_pair=variant.item.pair,
        pair_edits=[_span(edit) for edit in variant.pair_edits],
        label=label,
        margin=margin,
    )


def _span(edit: Edit) -> ChangedSpan:
    return ChangedSpan(start=edit.start, end=edit.end, new=edit.new)


def _margin(row: NDArray[np.float32], label: int) -> float:
    """Four decimals: what lies behind them depends on how a batch was packed."""
    return round(float(row[label] - np.delete(row, label).max(initial=0.0)), 4)


def _whole(query: QueryParams, name: str, least: int, most: int) -> int:
    text = query[name]
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) <= most):
        raise Refusal(422, "wrong_type", f"{name} must be a whole number, {least} to {most}.")
    return int(text)
