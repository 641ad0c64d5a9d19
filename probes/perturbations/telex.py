"""Telex: a slip in typing Vietnamese through an input method, Telex or VNI."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import partial
from typing import Literal

from probes.languages import Language
from probes.perturbations import NEEDS, Probe, family, perturbation
from probes.registry import unknown
from probes.scripts.casing import match_case
from probes.scripts.keyboards import layout
from probes.text import words
from probes.types import Edit

_TONES = "\u0301\u0300\u0309\u0303\u0323"
# The keys of the tones, and what follows a letter to put its circumflex, horn, breve or stroke on it.
_METHODS = {
    "telex": ("sfrxj", {"\u0302": "", "\u031b": "w", "\u0306": "w", "đ": "d"}),
    "vni": ("12345", {"\u0302": "6", "\u031b": "7", "\u0306": "8", "đ": "9"}),
}
NEEDS["an input method of Vietnamese"] = lambda language: language.code == "vi"


@perturbation(unit="word", needs="an input method of Vietnamese")
def telex(text: str, language: Language) -> Iterator[Edit]:
    """A tone key is lost, struck twice, too early or beside, a letter's mark is lost, or the method is off: tieesng."""
    return _edits(text, language, "telex")


def _edits(text: str, language: Language, method: str) -> Iterator[Edit]:
    for start, end in words(text, language):
        word = text[start:end]
        form: Literal["NFC", "NFD"] = "NFC" if unicodedata.is_normalized("NFC", word) else "NFD"
        small = unicodedata.normalize("NFC", word).lower()
        for slip in dict.fromkeys(_slips(small, *_METHODS[method])):
            yield Edit(start, end, unicodedata.normalize(form, match_case(word, slip, language)))


@family("telex")
def telex_of(method: str) -> Probe:
    """The same by another input method: telex:vni."""
    if method not in _METHODS:
        raise unknown("perturbation", f"telex:{method}", (f"telex:{name}" for name in _METHODS))
    summary = f"A slip in typing Vietnamese by {method.upper()}: a key of a tone or mark is lost, doubled or missed."
    return Probe(f"telex:{method}", summary, "word", "an input method of Vietnamese", partial(_edits, method=method))


def _slips(word: str, tone_keys: str, mark_keys: dict[str, str]) -> Iterator[str]:
    """What stands there for a word in NFC and small letters when one key goes wrong."""
    letters = [_taken_apart(letter) for letter in word]
    raw = [base + "".join(mark_keys[mark] or base for mark in marks) for base, marks, _ in letters]
    toneless = "".join(_put(base, marks) for base, marks, _ in letters)
    place = next((i for i, (_, _, tone) in enumerate(letters) if tone), None)
    if place is not None:
        key = tone_keys[_TONES.index(letters[place][2])]
        yield from (toneless, toneless + key, "".join(raw) + key, "".join((*raw[: place + 1], key, *raw[place + 1 :])))
        for other in layout("us").neighbours(key):
            if other in tone_keys:
                tone = _TONES[tone_keys.index(other)]
                parts = [_put(base, marks, tone if i == place else "") for i, (base, marks, _) in enumerate(letters)]
                yield "".join(parts)
    elif "".join(raw) != word:
        yield "".join(raw)
    for i, (base, marks, tone) in enumerate(letters):
        if marks:
            yield word[:i] + _put(base, "", tone) + word[i + 1 :]


def _taken_apart(letter: str) -> tuple[str, str, str]:
    """Base, marks that make another letter of it, and tone."""
    if letter == "đ":
        return "d", "đ", ""
    decomposed = unicodedata.normalize("NFD", letter)
    base, parts = decomposed[0], decomposed[1:]
    tone = "".join(part for part in parts if part in _TONES)[:1]
    return base, "".join(part for part in parts if part in "\u0302\u031b\u0306"), tone


def _put(base: str, marks: str, tone: str = "") -> str:
    return "đ" if marks == "đ" else unicodedata.normalize("NFC", base + marks + tone)
