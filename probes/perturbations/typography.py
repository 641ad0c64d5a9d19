"""Typography: a mark as a typewriter has it, or as the language's printers have it."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from probes.languages import Language
from probes.perturbations import perturbation
from probes.scripts.notation import notation
from probes.text import scripts
from probes.types import Edit

# What stands for the same mark in one script or another, the plain one first.
_ALIKE = ("?؟？፧", "!！", ",،，、፣", ";؛；፤", ":：፥։", ".。।۔።។။", '"“”„«»「」', "'’", "-–—")
_PLAIN = {mark: alike[0] for alike in _ALIKE for mark in alike} | {"…": "...", "¿": "", "¡": ""}
# A mark between digits belongs to the number.
_MARK = regex.compile(rf"(?!(?<=[0-9]).[0-9])(?:\.\.\.|[{regex.escape(''.join(_PLAIN))}])")


@perturbation(unit="word")
def typography(text: str, language: Language) -> Iterator[Edit]:
    """A mark is exchanged for the plain one of a typewriter, or a plain one for the language's own; ¿ and ¡ go."""
    written = scripts(text).keys()
    for found in _MARK.finditer(text):
        plain = _PLAIN.get(found[0], found[0])
        start, end = found.span()
        others = _own(text, start, end, language) if found[0] == plain else (plain,)
        yield from (Edit(start, end, other) for other in others if scripts(other).keys() <= written)


def _own(text: str, start: int, end: int, language: Language) -> Iterator[str]:
    """What the language's printers set for a plain mark."""
    mark, quotes = text[start:end], notation(language).quotes
    if mark in ("...", "'"):
        yield "…" if mark == "..." else "’"
    elif mark == '"' and len(quotes) == 2:
        yield quotes[start > 0 and not text[start - 1].isspace()]
    # In Greek a ; asks.
    elif (mark, language.code) != (";", "el"):
        alike = next((alike for alike in _ALIKE if mark in alike), "")
        yield from (own for own in alike[1:] if own in language.punctuation)
