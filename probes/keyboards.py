"""Which keys lie side by side, by the geometry of a keyboard, and which slips of the finger follow from it."""

from __future__ import annotations

import math
import unicodedata
from functools import lru_cache

import regex

from probes.casing import lower, match_case
from probes.languages import Language
from probes.text import script_of

# Where the first key of each row lies, in key widths: digits, upper, home and lower row of a staggered keyboard.
_ROW_OFFSETS = (0.0, 0.5, 0.75, 1.25)
_REACH = 1.3

_CASED = frozenset({"Latin", "Cyrillic", "Greek", "Armenian"})
_ROLES = (
    "Vowel_Independent",
    "Consonant",
    "Vowel_Dependent",
    "Vowel",
    "Bindu",
    "Visarga",
    "Virama",
    "Tone_Mark",
    "Nukta",
)
_ROLE_PATTERNS = tuple((role, regex.compile(rf"\p{{InSC={role}}}")) for role in _ROLES)
_SIDES = tuple((side, regex.compile(rf"\p{{InPC={side}}}")) for side in ("Left", "Right", "Top", "Bottom"))

_FIRST = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_MIDDLE = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_LAST = "\0ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"


@lru_cache(maxsize=256)
def neighbours(rows: tuple[str, ...]) -> dict[str, str]:
    """Each key of a layout with the keys that touch it, nearest first."""
    keys = [
        (key, offset + column, row)
        for row, (offset, line) in enumerate(zip(_ROW_OFFSETS, rows, strict=False))
        for column, key in enumerate(line)
        if key != " "
    ]
    near: dict[str, str] = {}
    for key, x, y in keys:
        beside = sorted((math.dist((x, y), (u, v)), other) for other, u, v in keys if other != key)
        near[key] = "".join(other for distance, other in beside if distance < _REACH)
    return near


@lru_cache(maxsize=65536)
def slips(unit: str, language: Language) -> tuple[str, ...]:
    """What a writing unit becomes when one of its keys is missed; same script, same role in the syllable, same case."""
    layers = neighbours(language.keyboard), neighbours(language.shift)
    if script_of(unit[0]) == "Hangul":
        return tuple(_hangul_slips(unit, layers[0])) if len(unit) == 1 and "가" <= unit <= "힣" else ()
    if script_of(unit[0]) in _CASED:
        letter = lower(unicodedata.normalize("NFC", unit), language)
        found = [other for near in layers for other in near.get(letter, "") if _role(other) == _role(letter)]
        return tuple(match_case(unit, other, language) for other in found)
    return tuple(
        unit[:i] + other + unit[i + 1 :]
        for near in layers
        for i, char in enumerate(unit)
        for other in near.get(char, "")
        if _role(other) == _role(char)
    )


def _hangul_slips(syllable: str, near: dict[str, str]) -> list[str]:
    """A syllable with one of its jamo exchanged for a neighbouring key's, still one composed syllable."""
    number = ord(syllable) - 0xAC00
    places = (_FIRST, number // 588, 588), (_MIDDLE, number % 588 // 28, 28), (_LAST, number % 28, 1)
    return [
        chr(ord(syllable) + (jamo.index(other) - index) * step)
        for jamo, index, step in places
        for other in near.get(jamo[index], "")
        if other in jamo
    ]


@lru_cache(maxsize=4096)
def _role(char: str) -> tuple[str, str, str, str]:
    """What a key's character is in its script: script, general category, part of a syllable, where it is written."""
    part = next((role for role, pattern in _ROLE_PATTERNS if pattern.match(char)), "")
    category = unicodedata.category(char)
    if category[0] == "M":
        return script_of(char), "M", part, ""
    # Thai and Lao write some vowels as letters, before or after their consonant.
    side = next((side for side, pattern in _SIDES if pattern.match(char)), "")
    return script_of(char), category if category[0] == "L" else char, part, side
