"""Hangul syllables and the keys of a two-set keyboard that type them (KS X 5002)."""

from __future__ import annotations

FIRST = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
MIDDLE = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
LAST = "\0ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"

_TWO_KEYS = {
    **{"ㅘ": "ㅗㅏ", "ㅙ": "ㅗㅐ", "ㅚ": "ㅗㅣ", "ㅝ": "ㅜㅓ", "ㅞ": "ㅜㅔ", "ㅟ": "ㅜㅣ", "ㅢ": "ㅡㅣ"},
    **{"ㄳ": "ㄱㅅ", "ㄵ": "ㄴㅈ", "ㄶ": "ㄴㅎ", "ㄺ": "ㄹㄱ", "ㄻ": "ㄹㅁ", "ㄼ": "ㄹㅂ"},
    **{"ㄽ": "ㄹㅅ", "ㄾ": "ㄹㅌ", "ㄿ": "ㄹㅍ", "ㅀ": "ㄹㅎ", "ㅄ": "ㅂㅅ"},
}
_ONE_JAMO = {keys: jamo for jamo, keys in _TWO_KEYS.items()}


def parts(syllable: str) -> tuple[str, str, str]:
    """Keys of the first consonant, the vowel and the final of a composed syllable; a final there is not is empty."""
    number = ord(syllable) - 0xAC00
    first, middle, last = FIRST[number // 588], MIDDLE[number % 588 // 28], LAST[number % 28].strip("\0")
    return first, _TWO_KEYS.get(middle, middle), _TWO_KEYS.get(last, last)


def compose(first: str, middle: str, last: str) -> str | None:
    """The syllable that keys type; None where they do not make one (arithmetic of the Unicode Standard, 3.12)."""
    middle, last = _ONE_JAMO.get(middle, middle), _ONE_JAMO.get(last, last) or "\0"
    if any(len(jamo) != 1 or jamo not in places for jamo, places in ((first, FIRST), (middle, MIDDLE), (last, LAST))):
        return None
    return chr(0xAC00 + (FIRST.index(first) * 21 + MIDDLE.index(middle)) * 28 + LAST.index(last))
