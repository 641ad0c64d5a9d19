"""Word drop: a word is left out, with the space that set it apart."""

from __future__ import annotations

from collections.abc import Iterator

from probes.languages import Language
from probes.perturbations import perturbation
from probes.text import words
from probes.types import Edit


@perturbation(unit="word")
def word_drop(text: str, language: Language) -> Iterator[Edit]:
    """A word is left out, with one space beside it; a text of one word is left alone."""
    spans = words(text, language)
    for start, end in spans if len(spans) > 1 else ():
        if text[end : end + 1] == " ":
            yield Edit(start, end + 1, "")
        elif text[start - 1 : start] == " ":
            yield Edit(start - 1, end, "")
        else:
            yield Edit(start, end, "")
