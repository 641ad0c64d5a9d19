"""Text as people see it: graphemes, writing units, words, scripts, and the one place where edits are spliced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING

import regex

from probes.types import Edit

if TYPE_CHECKING:
    from probes.languages import Language

Span = tuple[int, int]

# In order of how often they are met, so that the search below is short.
_SCRIPTS = """
Latin Common Inherited Han Cyrillic Arabic Devanagari Hiragana Katakana Hangul Thai Greek Hebrew Bengali Tamil Telugu
Malayalam Gujarati Gurmukhi Kannada Sinhala Georgian Armenian Ethiopic Khmer Myanmar Lao Tibetan Mongolian Oriya
Thaana Syriac Nko Tifinagh Cherokee Javanese Balinese Sundanese Ol_Chiki Meetei_Mayek Canadian_Aboriginal Bopomofo Yi
Tai_Le New_Tai_Lue Tai_Tham Lepcha Limbu Vai Bamum Lisu Coptic Glagolitic Gothic Runic Ogham Adlam Chakma Braille
"""
_SCRIPT_PATTERNS = tuple((name, regex.compile(rf"\p{{Script={name}}}")) for name in _SCRIPTS.split())

_GRAPHEME = regex.compile(r"\X")
# Code points without which UAX #29 has a border between any two.
_MAY_MERGE = regex.compile(
    r"[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}\p{GCB=Prepend}\p{GCB=L}\p{GCB=V}\p{GCB=T}\p{RI}\r\n]"
)
# A unit must not be torn where a script writes one sound over several graphemes: a vowel before its consonant
# (Thai, Lao), a vowel after it that UAX #29 leaves alone, a stacking sign with the consonant it stacks, and the
# consonant that ends a Burmese syllable.
_JOINS_NEXT = regex.compile(r"[\u0E40-\u0E44\u0EC0-\u0EC4\p{InSC=Virama}\p{InSC=Invisible_Stacker}]\Z")
_JOINS_PREVIOUS = regex.compile(r"[\p{M}\u0E30\u0E32\u0E33\u0E45\u0EB0\u0EB2\u0EB3\u0EBD]|\p{Myanmar}\u103A")

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}ー々\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_SPACED_WORD = (
    rf"[[\p{{L}}\p{{N}}]--[{_UNSPACED}]]"
    rf"(?:[[\p{{L}}\p{{M}}\p{{N}}\u200c\u200d]--[{_UNSPACED}]]"
    r"|(?<=[\p{L}\p{M}])['’ʼ·״׳](?=\p{L})|(?<=\p{N})[.,٫](?=\p{N}))*"
)
_THAI_SYLLABLE = (
    r"[\u0E40-\u0E44\u0EC0-\u0EC4]?[\u0E01-\u0E2E\u0E81-\u0EAE\u0EDC-\u0EDF]\p{M}*"
    r"[\u0E30\u0E32\u0E33\u0E45\u0EB0\u0EB2\u0EB3]{0,2}"
    r"(?:[\u0E01-\u0E2E\u0E81-\u0EAE](?![\p{M}\u0E30\u0E32\u0E33\u0E45\u0EB0\u0EB2\u0EB3]))?"
)
_STACKED_SYLLABLE = r"[\p{Khmer}\p{Myanmar}&&\p{L}]\p{M}*(?:(?<=[\u1039\u17D2])\p{L}\p{M}*)*(?:\p{L}\u103A\p{M}*)*"
_UNSPACED_WORD = rf"{_THAI_SYLLABLE}|{_STACKED_SYLLABLE}|[{_UNSPACED}]\p{{M}}*"
# Bunsetsu-like: a content stretch with the hiragana that leans on it, where a Japanese reader would pause.
_JAPANESE = r"(?:[\p{Han}々]+|[\p{Katakana}ー]+)\p{Hiragana}*|[\p{Hiragana}ー]+"

_WORDS = regex.compile(rf"{_SPACED_WORD}|{_UNSPACED_WORD}", regex.V1)
_JAPANESE_WORDS = regex.compile(rf"{_SPACED_WORD}|{_JAPANESE}|{_UNSPACED_WORD}", regex.V1)


@lru_cache(maxsize=64)
def _grapheme_spans(text: str) -> tuple[Span, ...]:
    if text.isascii() and "\r" not in text:
        return tuple((i, i + 1) for i in range(len(text)))
    return tuple(match.span() for match in _GRAPHEME.finditer(text))


@lru_cache(maxsize=64)
def borders(text: str) -> frozenset[int]:
    """Every code point offset at which a grapheme begins or ends."""
    return frozenset((0, *(end for _, end in _grapheme_spans(text))))


def graphemes(text: str) -> list[Span]:
    """UAX #29 extended grapheme clusters, as spans in code points."""
    return list(_grapheme_spans(text))


def units(text: str, span: Span) -> list[Span]:
    """Graphemes of a span, joined where a script writes one sound over several of them."""
    start, end = span
    if text[start:end].isascii():
        return [(i, i + 1) for i in range(start, end)]
    joined: list[Span] = []
    for left, right in (match.span() for match in _GRAPHEME.finditer(text, start, end)):
        if joined and (_JOINS_PREVIOUS.match(text, left) or _JOINS_NEXT.match(text[left - 1])):
            joined[-1] = (joined[-1][0], right)
        else:
            joined.append((left, right))
    return joined


def letters(text: str, language: Language) -> Iterator[list[Span]]:
    """Units of each stretch of letters: of a word, or of words that touch, where a script has no spaces."""
    run: list[Span] = []
    for word in words(text, language):
        if run and run[-1][1] != word[0]:
            yield run
            run = []
        run += (unit for unit in units(text, word) if text[unit[0]].isalpha())
    if run:
        yield run


def words(text: str, language: Language) -> list[Span]:
    """Spans of words, without punctuation; where a script has no spaces, of the next best unit.

    Han: one character (as UAX #29 has it). Japanese: a stretch with its trailing hiragana. Thai, Lao, Khmer,
    Burmese: about a syllable.
    """
    pattern = _JAPANESE_WORDS if "Hiragana" in language.scripts else _WORDS
    at = borders(text)
    return [span for span in (match.span() for match in pattern.finditer(text)) if span[0] in at and span[1] in at]


def splice(text: str, edits: Sequence[Edit]) -> str:
    """The text with the edits made; every other code point stays as it is.

    Raises ValueError where edits overlap, lie outside the text, or would cut a grapheme.
    """
    if not edits:
        return text
    at, done = borders(text), 0
    parts: list[str] = []
    previous: Edit | None = None
    for edit in sorted(edits, key=attrgetter("start", "end")):
        if not 0 <= edit.start <= edit.end <= len(text):
            raise ValueError(f"{edit} lies outside a text of {len(text)} code points")
        if edit.start not in at or edit.end not in at:
            raise ValueError(f"{edit} does not lie on grapheme borders of the text")
        if edit.start < done or (previous is not None and previous.start == previous.end == edit.start == edit.end):
            raise ValueError(f"{edit} overlaps {previous}")
        parts += (text[done : edit.start], edit.new)
        done, previous = edit.end, edit
    return "".join((*parts, text[done:]))


@lru_cache(maxsize=64)
def _simple(text: str) -> bool:
    return not _MAY_MERGE.search(text)


def intact(text: str, edit: Edit) -> bool:
    """Whether an edit lies on grapheme borders and leaves the graphemes beside it whole, merged with nothing."""
    if _simple(text) and not _MAY_MERGE.search(edit.new):
        return 0 <= edit.start <= edit.end <= len(text)
    at = borders(text)
    if edit.start not in at or edit.end not in at:
        return False
    near = text[max(0, edit.start - 1) : edit.start] + edit.new + text[edit.end : edit.end + 1]
    if not _MAY_MERGE.search(near):
        return True
    # Eight code points of context decide every rule of UAX #29 but a run of flags, which is even or odd as a whole.
    left, right = text[max(0, edit.start - 8) : edit.start], text[edit.end : edit.end + 8]
    cut = {0, *(match.end() for match in _GRAPHEME.finditer(left + edit.new + right))}
    return len(left) in cut and len(left) + len(edit.new) in cut


@lru_cache(maxsize=8192)
def script_of(char: str) -> str:
    """Unicode script of a character, by its long name; "Unknown" for surrogates and rare scripts."""
    return next((name for name, pattern in _SCRIPT_PATTERNS if pattern.match(char)), "Unknown")


def scripts(text: str) -> Counter[str]:
    """Code points of each script in a text, leaving out what all scripts share."""
    counts = Counter(map(script_of, text))
    for shared in ("Common", "Inherited", "Unknown"):
        counts.pop(shared, None)
    return counts
