"""A bilingual lexicon out of sentence-aligned text: what the word aligner links a word with, scored and ranked.

A translation is a linked word or, where spaces do not separate words, the run of units that lean on one English word
(phrase extraction, Och and Ney 2004, with a single word on the English side). Its score is the Dice coefficient: twice
the links of the two, over how often the English word is met and the translation linked. Nothing is random.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from probes import languages
from probes.languages import Language
from probes.scripts.casing import lower
from probes.text import Span, words
from training.align.pairs import ENGLISH, ParallelText
from training.lexicon import Lexicon, Translation
from training.word_alignment import Links, align

MIN_COUNT = 2
MIN_SCORE = 0.1
MOST = 5
"""Translations of a word, at most."""
MAX_CELLS = 10_000_000
"""Word pairs aligned at once, about 1 GB; beyond it the longest sentence pairs are left out."""
_SPACED_SYLLABLES = frozenset({"vi"})
"""Languages that put a space between syllables, so that one word may hold some."""


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A text, where its words stand, and the words in small letters."""

    text: str
    spans: tuple[Span, ...]
    words: tuple[str, ...]

    @classmethod
    def read(cls, text: str, language: Language) -> _Sentence:
        spans, small = tuple(words(text, language)), lower(text, language)
        return cls(text, spans, tuple(small[start:end] for start, end in spans))


_Bitext = list[tuple[_Sentence, _Sentence]]
"""English sentences and their translations."""
_Linked = Mapping[tuple[str, str], Counter[str]]
"""For an English word and a translation, both in small letters, how often it was linked and written in which way."""


def build(
    pairs: ParallelText, lang: str, *, min_count: int = MIN_COUNT, tick: Callable[[], None] = lambda: None
) -> Lexicon:
    """The lexicon of one of the languages of pairs; what is linked fewer than min_count times is left out."""
    own = languages.get(lang)
    bitext = _bitext(pairs, lang, own)
    ranked: dict[str, tuple[Translation, ...]] = {}
    if bitext:
        links = align(_numbered(left.words for left, _ in bitext), _numbered(right.words for _, right in bitext), tick)
        seen = Counter(word for left, _ in bitext for word in left.words)
        ranked = _ranked(_linked(bitext, links, own), seen, min_count)
    provenance = {
        "method": "IBM model 1 in both directions, trained to agree; Dice coefficient of the links",
        "pairs": {source: len(rows) for source, rows in pairs.rows[lang].items()},
        "pairs_aligned": len(bitext),
        "words": len(ranked),
        "min_count": min_count,
        "min_score": MIN_SCORE,
    }
    return Lexicon(lang, ranked, provenance)


def _bitext(pairs: ParallelText, lang: str, own: Language) -> _Bitext:
    """The sentence pairs with words on both sides, shortest first, as many as MAX_CELLS allows."""
    english, read = languages.get(ENGLISH), dict[int, _Sentence]()
    bitext = []
    for text, index in (row for rows in pairs.rows[lang].values() for row in rows):
        left = read.get(index) or read.setdefault(index, _Sentence.read(pairs.english[index], english))
        right = _Sentence.read(text, own)
        if cells := len(left.spans) * len(right.spans):
            bitext.append((cells, left, right))
    bitext.sort(key=lambda row: row[0])
    kept, total = [], 0
    for cells, left, right in bitext:
        total += cells
        if total > MAX_CELLS:
            break
        kept.append((left, right))
    return kept


def _numbered(sentences: Iterable[tuple[str, ...]]) -> list[list[int]]:
    numbers: dict[str, int] = {}
    return [[numbers.setdefault(word, len(numbers)) for word in sentence] for sentence in sentences]


def _linked(bitext: _Bitext, links: Links, own: Language) -> _Linked:
    linked: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    partner, mutual = links.partner.tolist(), links.mutual.tolist()
    grows, offset = not own.spaces or own.code in _SPACED_SYLLABLES, 0
    for left, right in bitext:
        end = offset + len(right.spans)
        partners = partner[offset:end]
        for place in (place for place in range(len(partners)) if mutual[offset + place]):
            first, last = _run(partners, place, right) if grows else (place, place)
            text = right.text[right.spans[first][0] : right.spans[last][1]]
            # the first word of a sentence says nothing about capitals
            written = text if first else ""
            linked[left.words[partners[place]], lower(text, own)][written] += 1
        offset = end
    return linked


def _run(partners: list[int], place: int, sentence: _Sentence) -> tuple[int, int]:
    """First and last of the words around a place that share its partner, with nothing but spaces between them."""

    def holds(left: int) -> bool:
        gap = sentence.text[sentence.spans[left][1] : sentence.spans[left + 1][0]]
        return partners[left] == partners[left + 1] and not gap.strip()

    first = last = place
    while first > 0 and holds(first - 1):
        first -= 1
    while last + 1 < len(partners) and holds(last):
        last += 1
    return first, last


def _ranked(linked: _Linked, seen: Counter[str], min_count: int) -> dict[str, tuple[Translation, ...]]:
    """Words in the order of the alphabet, each with its best translations."""
    met: Counter[str] = Counter()
    for (_, translation), written in linked.items():
        met[translation] += written.total()
    found: dict[str, list[Translation]] = defaultdict(list)
    for word, translation, times, spelling in _kept(linked, min_count):
        score = round(2 * times / (seen[word] + met[translation]), 4)
        if score >= MIN_SCORE:
            found[word].append(Translation(spelling, score))
    return {word: tuple(sorted(found[word], key=lambda one: (-one.score, one.text))[:MOST]) for word in sorted(found)}


def _kept(linked: _Linked, min_count: int) -> Iterator[tuple[str, str, int, str]]:
    """Links that are often enough, change the word and hold no figures, with the commonest spelling."""
    for (word, translation), written in linked.items():
        times = written.total()
        if times >= min_count and word != translation and not any(char.isdigit() for char in word + translation):
            spellings = [(count, spelling) for spelling, count in written.items() if spelling]
            yield word, translation, times, max(spellings)[1] if spellings else translation
