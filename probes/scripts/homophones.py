"""Words an input method offers for the same keys, or for keys one often mistakes, in Chinese and Japanese."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from pathlib import Path

import regex

from probes.languages import get
from probes.scripts.script_variants import simplified_only, traditional_only, variant

_FOLDER = Path(__file__).parent / "tables"
# Sounds of pinyin that many speakers do not tell apart, as the fuzzy search of input methods has them.
_INITIALS = {"zh": "z", "ch": "c", "sh": "s", "z": "zh", "c": "ch", "s": "sh", "n": "l", "l": "n"}
_FINALS = {"ang": "an", "eng": "en", "ing": "in", "an": "ang", "en": "eng", "in": "ing"}
_SYLLABLE = regex.compile(r"([zcs]h|[^aeiouv])?(.*?)((?:[aei]ng?)?)$")
_ALONE, _ANY = regex.compile(r"(?<!\p{Han})\p{Han}(?!\p{Han})"), regex.compile("")
_LONGEST = 3
_OFFERED = 6


def codes() -> tuple[str, ...]:
    """Languages with a table."""
    return tuple(sorted(path.stem.removeprefix("homophones_") for path in _FOLDER.glob("homophones_*.tsv")))


def candidates(word: str, code: str, traditional: bool = False) -> tuple[str, ...]:
    """What else an input method may offer for a word, commonest first; nothing for a word it does not know.

    The tables are of simplified characters; with traditional ones, what has just one counterpart is offered.
    """
    if traditional:
        simplified = variant(word, get(code)) or word
        others = (variant(other, get(code)) or other for other in candidates(simplified, code))
        return tuple(other for other in others if not simplified_only() & set(other))
    readings = _readings(code).get(word, ())
    keys = dict.fromkeys((*readings, *(near for reading in readings for near in _near(reading, code))))
    found = dict.fromkeys(other for key in keys for other in _words(code).get(key, ())[:_OFFERED])
    return tuple(other for other in found if other != word and len(other) == len(word))


def offered(text: str, code: str) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Spans of the longest words with candidates, from the left, and those; a character with none is passed over."""
    traditional = code == "zh" and bool(traditional_only() & set(text))
    # A kanji beside another is part of a word, known or not.
    alone = _ALONE if code == "ja" else _ANY
    at = 0
    while at < len(text):
        for end in range(min(len(text), at + _LONGEST), at, -1):
            long_enough = end > at + 1 or alone.match(text, at)
            if long_enough and (others := candidates(text[at:end], code, traditional)):
                yield at, end, others
                break
        else:
            end = at + 1
        at = end


def reading(character: str) -> str | None:
    """The first reading of a Chinese character, simplified or traditional, in pinyin; None if it is in no table."""
    readings = _readings("zh")
    return next(iter(readings.get(character) or readings.get(variant(character, get("zh")) or "", ())), None)


def _near(reading: str, code: str) -> Iterator[str]:
    """Readings with one or more syllables mistaken for a neighbour in sound."""
    if code == "zh":
        every = product(*((syllable, *_mistaken(syllable)) for syllable in reading.split()))
        yield from (" ".join(syllables) for syllables in every)


def _mistaken(syllable: str) -> Iterator[str]:
    match = _SYLLABLE.match(syllable)
    initial, middle, final = (match[1] or "", match[2], match[3]) if match else ("", syllable, "")
    if initial in _INITIALS:
        yield _INITIALS[initial] + middle + final
    if final in _FINALS:
        yield initial + middle + _FINALS[final]


@lru_cache(maxsize=4)
def _words(code: str) -> dict[str, tuple[str, ...]]:
    lines = (_FOLDER / f"homophones_{code}.tsv").read_text("utf-8").splitlines()
    return {reading: tuple(words.split()) for reading, words in (line.split("\t") for line in lines)}


@lru_cache(maxsize=4)
def _readings(code: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for key, words in _words(code).items():
        for word in words:
            found[word] = (*found.get(word, ()), key)
    return found
