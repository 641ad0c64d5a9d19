"""Words in Latin letters, as people write them where a keyboard or a phone has no others: `tables/romanisations.tsv`.

Arabizi, Roman Hindi and its sisters, translit, Greeklish, pinyin without tones. Vowels that a script does not write
are not made up: Arabic, Persian, Urdu and Hebrew words come out as their consonants with the long vowels.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path

import regex

from probes.languages import Language
from probes.scripts import hangul, homophones
from probes.scripts.casing import lower, match_case
from probes.scripts.writing import primary
from probes.text import script_of

_TABLE = Path(__file__).parent / "tables" / "romanisations.tsv"
_FORMS = 2
# Scripts laid out as Devanagari is, by the first code point of their blocks (ISCII).
_LIKE_DEVANAGARI = {
    **{"Bengali": 0x980, "Gurmukhi": 0xA00, "Gujarati": 0xA80},
    **{"Tamil": 0xB80, "Telugu": 0xC00, "Kannada": 0xC80, "Malayalam": 0xD00},
}
# Where the vowel no sign is written for is not spoken at a word's end.
_SILENT_END = frozenset(("hi", "mr", "ne", "gu", "pa", "bn"))
_INHERENT, _KILLED = "\x01", "\x02"
_CONSONANT = regex.compile(r"\p{InSC=Consonant}\p{InSC=Nukta}?")
_VOWEL = regex.compile(r"\p{InSC=Vowel_Dependent}")
_VIRAMA = regex.compile(r"\p{InSC=Virama}|\p{InSC=Pure_Killer}")
# Between a vowel with one consonant and a consonant with a vowel the inherent vowel is silent, from the right.
_SILENT = regex.compile(r"(?r)(?<=[aeiou\x01][^aeiou\x01\x02]{1,3})\x01(?=[^aeiou\x01\x02]{1,3}[aeiou])")
_UNSEEN = regex.compile(r"[\u200c\u200d\u0591-\u05c7]")
# Marks that fall away with the letter they stand on.
_ACCENTS = {"Greek": "\u0301\u0308\u0344", "Cyrillic": "\u0301"}
_ETHIOPIC_VOWELS = ("e", "u", "i", "a", "e", "", "o")


@lru_cache(maxsize=1)
def _rows() -> dict[str, dict[str, list[str]]]:
    lines = (line.split("\t") for line in _TABLE.read_text("utf-8").splitlines() if not line.startswith("#"))
    return {
        name: {
            letter: latin.replace("∅", "").split("/")
            for letter, _, latin in (pair.partition("=") for pair in row.split())
        }
        for name, row in lines
    }


def applies(language: Language) -> bool:
    """Whether words of a language can be put in Latin letters, and are not in them already."""
    first = next(iter(language.scripts), "")
    return first in _rows() or first in _LIKE_DEVANAGARI or (first == "Han" and language.code in homophones.codes())


@lru_cache(maxsize=65536)
def romanised(word: str, language: Language) -> tuple[str, ...]:
    """The word in Latin letters, in the spellings there are; none where one of its characters is in no table."""
    if script_of(word[0]) == "Han":
        readings = [homophones.reading(character) for character in word]
        return () if None in readings else ("".join(filter(None, readings)),)
    small = _UNSEEN.sub("", unicodedata.normalize("NFC", lower(word, language)))
    spelt = (_spelt(small, language, form) for form in range(_FORMS))
    return tuple(dict.fromkeys(match_case(word, each, language) for each in spelt if each))


def _spelt(word: str, language: Language, form: int) -> str | None:
    script = script_of(word[0])
    table = _table(script, primary(language), form)
    if script == "Hangul":
        return _spelt_hangul(word, table)
    if script == "Ethiopic":
        return _spelt_ethiopic(word, table)
    longest = max(map(len, table), default=0)
    spelt, at = "", 0
    while at < len(word):
        end = next((end for end in range(min(len(word), at + longest), at, -1) if word[at:end] in table), 0)
        if not end:
            return None
        letter = word[at:end]
        placed = ("^" + letter if at == 0 else "", letter + "$" if end == len(word) else "", letter)
        spelt += next(table[key] for key in placed if key in table)
        if _CONSONANT.fullmatch(letter) and not _VOWEL.match(word, end):
            spelt += _KILLED if _VIRAMA.match(word, end) else _INHERENT
        at = end
    return _voiced(spelt, primary(language))


def _voiced(spelt: str, code: str) -> str:
    """The inherent vowel, a (in Bengali o), where it is spoken."""
    if code in _SILENT_END:
        if spelt.endswith(_INHERENT) and regex.search(r"[aeiou\x01].", spelt):
            spelt = spelt[:-1]
        if code != "bn":
            spelt = _SILENT.sub("", spelt)
    return spelt.replace(_INHERENT, "o" if code == "bn" else "a").replace(_KILLED, "")


def _spelt_hangul(word: str, table: dict[str, str]) -> str | None:
    """Letter by letter; an ieung that opens a syllable is silent."""
    if not all("가" <= syllable <= "힣" for syllable in word):
        return None
    spelt = ""
    for first, middle, last in map(hangul.parts, word):
        vowel = {"ㅗㅏ": "wa", "ㅗㅐ": "wae", "ㅗㅣ": "oe", "ㅜㅓ": "wo", "ㅜㅔ": "we", "ㅜㅣ": "wi", "ㅡㅣ": "ui"}.get(
            middle
        )
        spelt += ("" if first == "ㅇ" else table[first]) + (vowel or table[middle])
        spelt += {"ㄱ": "k", "ㄷ": "t", "ㄹ": "l", "ㅂ": "p", "ㅅ": "t", "ㅆ": "t"}.get(
            last[:1], table.get(last[:1], "")
        )
    return spelt


def _spelt_ethiopic(word: str, table: dict[str, str]) -> str | None:
    spelt = ""
    for letter in word:
        consonant, order = table.get(chr(ord(letter) & ~7)), ord(letter) & 7
        if consonant is None or order > 6:
            return None
        spelt += consonant + ("a" if not consonant and order == 0 else _ETHIOPIC_VOWELS[order])
    return spelt


@lru_cache(maxsize=256)
def _table(script: str, code: str, form: int) -> dict[str, str]:
    """Letters of a script, those of the language before those of the script; the form there is where not this one."""
    rows, first = _rows(), _LIKE_DEVANAGARI.get(script)
    letters: dict[str, list[str]] = {}
    if first is not None:
        letters = {
            "".join(chr(ord(part) - 0x900 + first) for part in letter): latin
            for letter, latin in rows["Devanagari"].items()
        }
    letters |= rows.get(script, {})
    # A row of a language is for its own script: that of Bengali has nothing to say of Latin words in Bengali texts.
    letters |= rows.get(code, {}) if letters else {}
    marked = {
        composed: latin
        for letter, latin in letters.items()
        for mark in _ACCENTS.get(script, "")
        if len(composed := unicodedata.normalize("NFC", letter + mark)) == len(letter)
    }
    every = (letters | marked | letters).items()
    return {unicodedata.normalize("NFC", letter): latin[min(form, len(latin) - 1)] for letter, latin in every}
