"""From meanings to synonyms: in a word's commonest part of speech, words that share most meanings with it first."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, NamedTuple, TypeVar

import regex

from probes.languages import Language
from probes.scripts.casing import lower

# Synonyms of a word that are kept.
MOST = 8
# A word, or up to three with spaces between them: no formulas, dots or brackets.
_LETTERS = r"[\p{L}\p{M}\p{N}\u200c\u200d'’ʼ·-]"
_WORD = regex.compile(rf"[\p{{L}}\p{{N}}]{_LETTERS}*(?: {_LETTERS}+){{0,2}}")

Entry = TypeVar("Entry")


class Meaning(NamedTuple):
    """One meaning of a word: its part of speech, however the source writes it, and the words that have it."""

    speech: str
    words: tuple[str, ...]


class Ranked(Mapping[str, tuple[str, ...]], Generic[Entry]):
    """Words in small letters, each with at most MOST synonyms, worked out when the word is first asked for.

    A word's part of speech is the one that most of its meanings have, since nobody tags the texts. First come the words
    that share most meanings with it, then single words, then what the source names first. Only single words are looked
    up in texts that separate them, so that others have none.
    """

    def __init__(
        self, entries: Iterable[tuple[str, Entry]], meaning: Callable[[Entry], Meaning | None], language: Language
    ) -> None:
        self._entries: dict[str, list[Entry]] = defaultdict(list)
        self._meaning, self._language = meaning, language
        self._known: dict[str, tuple[str, ...]] = {}
        for word, entry in entries:
            if not (language.spaces and " " in word):
                self._entries[lower(word, language)].append(entry)

    def __getitem__(self, word: str) -> tuple[str, ...]:
        if not (found := self._of(word)):
            raise KeyError(word)
        return found

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and bool(self._of(word))

    def __iter__(self) -> Iterator[str]:
        return filter(self._of, self._entries)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _of(self, word: str) -> tuple[str, ...]:
        if word not in self._known and word in self._entries:
            self._known[word] = self._best(word)
        return self._known.get(word, ())

    def _best(self, word: str) -> tuple[str, ...]:
        found = [meaning for meaning in map(self._meaning, self._entries[word]) if meaning]
        speech = Counter(meaning.speech for meaning in found).most_common(1)[0][0] if found else ""
        shared = Counter(other for each in found if each.speech == speech for other in dict.fromkeys(each.words))
        others = sorted(shared, key=lambda other: (-shared[other], " " in other))
        fit = [o for o in others if lower(o, self._language) != word and _WORD.fullmatch(o)]
        return tuple(fit[:MOST])
