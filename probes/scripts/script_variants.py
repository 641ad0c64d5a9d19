"""Words in the other script of their language: Chinese, Serbian, Azerbaijani, Kazakh, Uzbek.

Only what a table decides: where a character or spelling stands for several in the other script, there is no answer.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from probes.languages import Language
from probes.scripts.casing import lower, match_case
from probes.scripts.writing import primary
from probes.text import script_of

_HAN = Path(__file__).parent / "tables" / "han_variants.txt"


def _table(one: str, other: str) -> dict[str, str]:
    return dict(zip(one.split(), other.split(), strict=True))


# Serbian: standard orthography. Azerbaijani: the Cyrillic alphabet of 1958. Uzbek: the Latin alphabet of 1995.
# Kazakh: the Latin alphabet of 2021; letters of Russian words have no place in it and are not here.
_LATIN = {
    "sr": _table(
        "а б в г д ђ е ж з и ј к л љ м н њ о п р с т ћ у ф х ц ч џ ш",
        "a b v g d đ e ž z i j k l lj m n nj o p r s t ć u f h c č dž š",
    ),
    "az": _table(
        "а б в г ғ д е ә ж з и ы ј к ҝ л м н о ө п р с т у ү ф х һ ч ҹ ш",
        "a b v q ğ d e ə j z i ı y k g l m n o ö p r s t u ü f x h ç c ş",
    ),
    "kk": _table(
        "а ә б в г ғ д е ж з и й к қ л м н ң о ө п р с т у ұ ү ф х һ ш ы і ю я",
        "a ä b v g ğ d e j z i i k q l m n ñ o ö p r s t u ū ü f h h ş y ı iu ia",
    ),
    "uz": _table(
        "а б в г д е ё ж з и й к л м н о п р с т у ф х ч ш ъ э ю я ў қ ғ ҳ",
        "a b v g d e yo j z i y k l m n o p r s t u f x ch sh ʼ e yu ya oʻ q gʻ h",
    ),
}
# Latin letters that are two sounds here and one there, and spellings the tables above do not decide.
_UNDECIDED = {
    "sr": re.compile(r"^(?:in|kon|van)j|^(?:na|o|po|pre)dž|^tanjug"),
    "kk": re.compile(r"[a-zäñöüūışğ]"),
    "uz": re.compile(r"[a-z]|[цьщы]|ъ[еёюя]"),
}
# A Cyrillic е that opens a syllable of Uzbek is ye.
_UZBEK_YE = re.compile(r"(?<![^\W_аеёиоуэюяў])е")


def codes() -> frozenset[str]:
    """Languages with a table."""
    return frozenset((*_LATIN, "zh"))


def variant(word: str, language: Language) -> str | None:
    """The word in the other script; None where the tables do not decide it or it would be the same."""
    code = primary(language)
    if code == "zh":
        other = "".join(_other_han().get(character, character) for character in word)
        return None if other == word else other
    small = lower(word, language)
    if code not in _LATIN or ((undecided := _UNDECIDED.get(code)) and undecided.search(small)):
        return None
    latin = script_of(word[0]) == "Latin"
    table = _cyrillic(code) if latin else _LATIN[code]
    if code == "uz":
        small = _UZBEK_YE.sub("йе", small)
    longest = "|".join(sorted(table, key=len, reverse=True))
    if not re.fullmatch(f"(?:{longest})+", small):
        return None
    other = re.sub(longest, lambda found: table[found[0]], small)
    # Kazakh and Azerbaijani Latin have a dotless ı, so their capitals are those of Turkish.
    rule = replace(language, casing="turkish" if code in ("az", "kk") and not latin else "default")
    return match_case(word, other, rule)


@lru_cache(maxsize=8)
def _cyrillic(code: str) -> dict[str, str]:
    return {latin: cyrillic for cyrillic, latin in _LATIN[code].items()}


@lru_cache(maxsize=1)
def simplified_only() -> frozenset[str]:
    """Chinese characters that no traditional text has."""
    traditional, simplified = map(frozenset, zip(*_pairs(), strict=True))
    return simplified - traditional


@lru_cache(maxsize=1)
def traditional_only() -> frozenset[str]:
    """Chinese characters that no simplified text has."""
    traditional, simplified = map(frozenset, zip(*_pairs(), strict=True))
    return traditional - simplified


@lru_cache(maxsize=1)
def _pairs() -> list[tuple[str, str]]:
    return [(line[0], line[1]) for line in _HAN.read_text("utf-8").splitlines()]


@lru_cache(maxsize=1)
def _other_han() -> dict[str, str]:
    """Traditional to simplified and back, where there is just one counterpart."""
    pairs = _pairs()
    ways = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    there = {one: other for one, other in pairs if ways[0][one] == 1 and one != other}
    back = {other: one for one, other in pairs if ways[1][other] == 1 and one != other}
    return back | there
