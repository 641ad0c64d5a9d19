"""Punctuation: a mark is lost, doubled, exchanged for another, or set after a word that needs none."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from probes.languages import Language
from probes.perturbations import perturbation
from probes.text import script_of, words
from probes.types import Edit


@perturbation(unit="word")
def punctuation(text: str, language: Language) -> Iterator[Edit]:
    """A mark of the language is lost, doubled or exchanged after a word, or set where there is none."""
    for start, end in words(text, language):
        marks = _of_script(language.punctuation, script_of(text[start]))
        following = text[end : end + 1]
        if following and following in marks:
            # A mark between digits belongs to the number.
            if not (text[end - 1].isdigit() and text[end + 1 : end + 2].isdigit()):
                yield Edit(end, end + 1, "")
                yield Edit(end, end + 1, 2 * following)
                yield from (Edit(end, end + 1, mark) for mark in marks if mark != following)
        elif following in ("", " ") or not language.spaces:
            yield from (Edit(end, end, mark) for mark in marks[:2])


@lru_cache(maxsize=1024)
def _of_script(marks: str, script: str) -> str:
    # A script's own marks (the Ethiopic full stop, say) do not stray into words of another.
    return "".join(mark for mark in marks if script_of(mark) in ("Common", script))
