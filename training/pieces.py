"""The vocabulary of an encoder folder as words: which of its pieces are words that could stand in a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import regex
from transformers import AutoTokenizer

from probes.languages import Language
from probes.perturbations import same_scripts
from probes.scripts.casing import lower, match_case
from probes.text import Span
from probes.types import Edit

# Replacements offered for a word; more of them and a search spends its budget on the first word.
MOST = 8

# Pieces looked at, best first, until there are enough: most of the others are in another script or inside words.
LOOKED_AT = 256

# Letters and their marks: no number is exchanged, nor offered.
_WORD = regex.compile(r"\p{L}[\p{L}\p{M}'’]*")


class Pieces:
    """A tokenizer, asked for words: pieces that begin one (▁ or Ġ before them, no ## before them) and are whole."""

    def __init__(self, folder: str) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        vocabulary = self.tokenizer.get_vocab()
        self._special = frozenset(self.tokenizer.all_special_ids)
        self._begins = tuple(mark for mark in "▁Ġ" if any(piece.startswith(mark) for piece in vocabulary))

    def id_of(self, word: str) -> int | None:
        """The piece that is this word on its own; None where it takes several or is not known."""
        ids = [
            number
            for number in self.tokenizer(f" {word}", add_special_tokens=False)["input_ids"]
            if self.tokenizer.convert_ids_to_tokens(number) not in self._begins
        ]
        return ids[0] if len(ids) == 1 and ids[0] != self.tokenizer.unk_token_id else None

    def edits(self, text: str, span: Span, ranked: Iterable[int], language: Language) -> Iterator[Edit]:
        """The word of the span exchanged for the first pieces that are other words of its script, in its case."""
        old, found = text[slice(*span)], set[str]()
        if not _WORD.fullmatch(old):
            return
        for number in ranked:
            word = self._word(number, language)
            if word is None or lower(word, language) in found | {lower(old, language)}:
                continue
            edit = Edit(*span, match_case(old, word, language))
            if same_scripts(text, edit):
                found.add(lower(word, language))
                yield edit
            if len(found) == MOST:
                return

    def _word(self, number: int, language: Language) -> str | None:
        piece = self.tokenizer.convert_ids_to_tokens(number)
        begins = piece.startswith(self._begins) if self._begins else not piece.startswith("##")
        if number in self._special or (language.spaces and not begins):
            return None
        word: str = self.tokenizer.decode([number]).strip()
        if not begins and not self._begins:
            word = word.removeprefix("##")
        return word if _WORD.fullmatch(word) else None
