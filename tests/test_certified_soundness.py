"""Soundness, by force: no attack of the battery inside the radius breaks a certificate, and some outside it do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from scipy.stats import binomtest

from probes import battery
from probes.certificates.deletion import Deletion, Smoothed, certify, segment
from probes.data import read_examples
from probes.searching.accept import near
from probes.steps import Battery
from probes.types import Example, Item, Probabilities
from tests.fakes import KeywordClassifier

DEMO = Path(__file__).parent.parent / "examples" / "demo.jsonl"
LANGS = ("en", "ru", "hi", "zh")
# Labels that some letters of each script stand for, so that a label wears away with the text; none of them: rare.
MODEL = KeywordClassifier(
    {"rare": [*"xqzъюяझठढ龙龟"], "vowels": [*"eaoiеаоиाेी的一,。"], "others": [*"tnsтнсकर是了"]}, sharpness=0.3
)
ALPHA = 0.001
SETTINGS = (Deletion("grapheme", 0.8, 100, 2000, ALPHA), Deletion("word", 0.8, 100, 2000, ALPHA))


class Watched(Smoothed):
    """The smoothed classifier, keeping every text it was asked with the label it gave."""

    def __init__(self, how: Deletion, lang: str) -> None:
        super().__init__(MODEL, replace(how, draws=50), 1, lang)
        self.given: dict[str, str] = {}

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        shares = super().__call__(items)
        self.given |= {item.text: self.labels[row.argmax()] for item, row in zip(items, shares, strict=True)}
        return shares


def attacked(example: Example, how: Deletion, characters: int) -> dict[str, str]:
    """Every text that an attack of the battery tried, of so many edits at most, and the label it got."""
    found = battery.load("attacks")
    steps = tuple(replace(step, max_characters=characters, strength=1.0, budget=150) for step in found.steps)
    watched = Watched(how, example.lang)
    battery.run(Battery("inside", steps), watched, [example])
    return watched.given


def lost(label: str, text: str, how: Deletion, lang: str) -> bool:
    """Whether the smoothed classifier gives the label less than half of its votes, beyond doubt."""
    share = float(Smoothed(MODEL, how, 2, lang)([Item(text)])[0][MODEL.labels.index(label)])
    return binomtest(round(share * how.draws), how.draws, 0.5, alternative="less").pvalue < 1e-4


@pytest.mark.slow
def test_no_attack_inside_the_radius_breaks_a_certificate_and_some_outside_do() -> None:
    inside, beyond, broken = 0, 0, set()
    found = [e for e in read_examples(DEMO, 3) if e.lang in LANGS]
    examples = [Example(e.id, Item("".join(segment(e.item.text, "grapheme", e.lang)[:50])), e.lang) for e in found]
    for how in SETTINGS:
        for example, certificate in zip(examples, certify(MODEL, examples, how, 0), strict=True):
            for characters in (certificate.radius, 40) if certificate.radius else ():
                for text, label in attacked(example, how, characters).items():
                    cuts = (segment(one, how.unit, example.lang) for one in (example.item.text, text))
                    within = near(*cuts, certificate.radius)
                    inside += within
                    if label != certificate.label and lost(str(certificate.label), text, how, example.lang):
                        broken |= {(how.unit, example.id)} if within else set()
                        beyond += not within
    assert inside > 2000, "texts inside the radius were tried"
    assert beyond > 0, "the attacks can break what is not certified"
    assert len(broken) <= 1, f"alpha allows {ALPHA} of each, so hardly one of all: {broken}"
