"""Whitespace: a space too many, a space too few."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from probes.languages import Language
from probes.perturbations import perturbation
from probes.text import units, words
from probes.types import Edit


@perturbation(unit="word")
def whitespace(text: str, language: Language) -> Iterator[Edit]:
    """A space between words is doubled or lost, or one slips in; line breaks and tabs stay as they are."""
    spans = words(text, language)
    for (_, start), (end, _) in pairwise(spans):
        between = text[start:end]
        if between == " ":
            yield Edit(start, end, "")
            yield Edit(start, end, "  ")
        elif not between:
            yield Edit(start, start, " ")
    for span in spans if language.spaces else ():
        yield from (Edit(start, start, " ") for start, _ in units(text, span)[1:])
