"""Repair script: a letter that has no business in a word is what it looks like."""

from __future__ import annotations

from functools import lru_cache

import regex

from probes import languages
from probes.scripts.homoglyphs import twins
from probes.scripts.keyboards import typed_letters
from probes.text import script_of, scripts

_WORD = regex.compile(r"[\p{L}\p{M}]{2,}")


def repair_script(text: str) -> tuple[str, ...]:
    """Write letters that no keyboard types, or of another script than their word's, as the look-alike in its script."""
    return (_WORD.sub(lambda found: _repaired(found[0]), text),)


def _repaired(word: str) -> str:
    ranked = scripts(word).most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return word
    own = ranked[0][0]
    return "".join(char if script_of(char) == own and char in _typed() else _twin(char, own) for char in word)


def _twin(char: str, script: str) -> str:
    """The typed look-alike in a script, of the same case if there is one; the letter itself where it has none."""
    found = [other for other in twins(char) if other in _typed() and script_of(other) == script]
    return min(found, key=lambda other: (other.isupper() != char.isupper(), other), default=char)


@lru_cache(maxsize=1)
def _typed() -> frozenset[str]:
    """Every letter that a keyboard of some language types, or that its language marks."""
    known = [languages.get(code) for code in languages.codes()]
    small = "".join(typed_letters(language) + language.marked for language in known)
    return frozenset(small + small.upper())
