"""Slips of the finger: what a writing unit becomes when one of the keys that type it is missed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import regex

from probes.languages import Language
from probes.scripts import hangul
from probes.scripts.casing import lower, match_case
from probes.scripts.keyboards import DEAD, ETHIOPIC_VOWELS, Layout, layout, written
from probes.text import script_of

_ROLES = (
    "Vowel_Independent",
    "Consonant",
    "Vowel_Dependent",
    "Vowel",
    "Bindu",
    "Visarga",
    "Virama",
    "Invisible_Stacker",
    "Pure_Killer",
    "Tone_Mark",
    "Nukta",
)
_ROLE_PATTERNS = tuple((role, regex.compile(rf"\p{{InSC={role}}}")) for role in _ROLES)
_SIDES = tuple((side, regex.compile(rf"\p{{InPC={side}}}")) for side in ("Left", "Right", "Top", "Bottom"))
# Lam with alef has a key of its own, but is two letters in a text.
_LIGATURES = "\ufef5\ufef7\ufef9\ufefb"


@lru_cache(maxsize=65536)
def slips(unit: str, language: Language, name: str = "") -> tuple[str, ...]:
    """What a unit becomes by one slip, on the layout of that name or else on the first of the language that types it.

    A key beside the right one is struck, shift or AltGr is lost or gained, an accent is lost or misses its letter.
    What comes out is of the same script and has the same role in the syllable.
    """
    forms = dict.fromkeys((unit, lower(unicodedata.normalize("NFC", unit), language), _katakana(unit)))
    for key_map in map(layout, (name,) if name else language.keyboard):
        # É is é with the capitals locked where é has a key of its own.
        for form in sorted(forms, key=lambda form: len(key_map.strokes(form) or 9 * unit)):
            if found := dict.fromkeys(filter(_well_formed, _slips(form, language, key_map))):
                return tuple(_as(unit, form, slip, language) for slip in found if slip != form)
    return ()


def _well_formed(unit: str) -> bool:
    """Whether no mark stands on a letter twice."""
    marks = [part for part in unicodedata.normalize("NFD", unit) if unicodedata.category(part) == "Mn"]
    return len(marks) == len(set(marks))


def _slips(unit: str, language: Language, key_map: Layout) -> Iterator[str]:
    if len(unit) == 1 and "가" <= unit <= "힣":
        yield from _hangul_slips(unit, language, key_map)
    elif len(unit) == 1 and script_of(unit) == "Ethiopic":
        yield from _ethiopic_slips(unit, language, key_map)
    elif (cells := key_map.strokes(unit)) and any(cell.startswith(DEAD) for cell in cells):
        yield from _accent_slips(cells, language, key_map)
    else:
        # Character by character, so that one that is on no key does not keep the others from slipping.
        parts = cells or tuple(unit)
        whole = parts == tuple(unit)
        for i, cell in enumerate(parts):
            others = [*_others(cell, language, key_map), *([""] if not whole and unicodedata.combining(cell) else [])]
            for slip in ("".join((*parts[:i], other, *parts[i + 1 :])) for other in others):
                # Of cells that make one letter, only what makes one again: が to ず or か, but to no ん with a mark.
                if whole or len(slip := unicodedata.normalize("NFC", slip)) <= len(unit):
                    yield slip


def _others(cell: str, language: Language, key_map: Layout) -> Iterator[str]:
    """Cells struck in place of one, of the same role; letters of AltGr only where the language writes them."""
    if cell not in key_map.typed:
        return
    for other in (*key_map.neighbours(cell), *key_map.other_levels(cell)):
        own = key_map.level(other) < 2 or script_of(other) not in _CASED or other.lower() in language.marked
        if own and _role(other) == _role(cell):
            yield unicodedata.normalize("NFKC", other) if other in _LIGATURES else other


def _accent_slips(cells: tuple[str, ...], language: Language, key_map: Layout) -> Iterator[str]:
    """Another letter under the accent, another accent, no accent, or no letter; what does not combine stands apart."""
    for i, cell in enumerate(cells):
        before, after = cells[:i], cells[i + 1 :]
        if cell.startswith(DEAD):
            near = (*key_map.neighbours(cell), *key_map.other_levels(cell))
            accents = (written((*before, other, *after)) for other in near if other.startswith(DEAD))
            yield from (found for found in accents if found.lower() in language.marked)
        else:
            near = (*_others(cell, language, key_map),)
            yield from (written((*before, other, *after), language.marked) for other in near)
        yield written((*before, *after))


def _hangul_slips(syllable: str, language: Language, key_map: Layout) -> Iterator[str]:
    """A syllable with one of its keys exchanged, or its final lost, still one composed syllable."""
    parts = hangul.parts(syllable)
    for place, keys in enumerate(parts):
        changed = [
            keys[:i] + other + keys[i + 1 :] for i, key in enumerate(keys) for other in _others(key, language, key_map)
        ]
        for other in (*changed, *((keys[:i] + keys[i + 1 :]) for i in range(len(keys)) if place == 2 or len(keys) > 1)):
            if found := hangul.compose(*[*parts[:place], other, *parts[place + 1 :]]):
                yield found


def _ethiopic_slips(letter: str, language: Language, key_map: Layout) -> Iterator[str]:
    """Another consonant with the same vowel, or another vowel; letters are consonant and vowel keys."""
    series, order = chr(ord(letter) & ~7), ord(letter) & 7
    if series not in key_map.typed:
        return
    for other in _others(series, language, key_map):
        if unicodedata.category(found := chr(ord(other) + order)) == "Lo" and script_of(other) == "Ethiopic":
            yield found
    near = key_map.neighbours(ETHIOPIC_VOWELS[order]) if order in ETHIOPIC_VOWELS else ()
    yield from (chr(ord(series) + other) for other, vowel in ETHIOPIC_VOWELS.items() if vowel in near)


_CASED = frozenset({"Latin", "Cyrillic", "Greek", "Armenian"})


def _katakana(unit: str) -> str:
    """Hiragana as the katakana that a kana keyboard has on its keys; anything else as it is."""
    return "".join(chr(ord(char) + 0x60) if "ぁ" <= char <= "ゖ" else char for char in unit)


def _as(unit: str, form: str, slip: str, language: Language) -> str:
    """A slip of another form of the unit in the form the unit has: its case, or hiragana."""
    if form == unit:
        return slip
    if script_of(unit[0]) == "Hiragana":
        return "".join(chr(ord(char) - 0x60) if "ァ" <= char <= "ヶ" else char for char in slip)
    return match_case(unit, slip, language)


@lru_cache(maxsize=4096)
def _role(char: str) -> tuple[str, str, str, str]:
    """What a key's character is in its script: script, general category, part of a syllable, where it is written."""
    part = next((role for role, pattern in _ROLE_PATTERNS if pattern.match(char)), "")
    category = unicodedata.category(char[0])
    if category[0] == "M":
        return script_of(char[0]), "M", part, ""
    # Thai and Lao write some vowels as letters, before or after their consonant.
    side = next((side for side, pattern in _SIDES if pattern.match(char)), "")
    kind = "L" if category in ("Lu", "Ll") else category if category[0] == "L" else char
    return script_of(char[0]), kind, part, side
