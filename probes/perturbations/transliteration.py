"""Transliteration: a word in Latin letters, as a machine spells it out."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from probes.languages import Language
from probes.perturbations import NEEDS, perturbation
from probes.text import script_of, words
from probes.types import Edit

_SPELLED = regex.compile(r"[A-Za-z][A-Za-z'`]*")

NEEDS["letters other than Latin"] = lambda language: language.scripts[:1] != ("Latin",)


@perturbation(unit="word", needs="letters other than Latin")
def transliteration(text: str, language: Language) -> Iterator[Edit]:
    """A word is spelled out in Latin letters, sign by sign (anyascii): Привет is Privet, नमस्ते is nmste.

    What is not written stays out, as the vowels of Arabic do. Han in a Japanese text has no reading of its own here.
    """
    from anyascii import anyascii

    for start, end in words(text, language):
        word = text[start:end]
        written = {script_of(char) for char in word} - {"Common", "Inherited"}
        if written and "Latin" not in written and ("Han" not in written or "Hiragana" not in language.scripts):
            spelled = anyascii(word)
            # The library begins each Chinese character and Korean syllable with a capital.
            if _SPELLED.fullmatch(spelled):
                yield Edit(start, end, spelled.lower() if written & {"Han", "Hangul"} else spelled)
