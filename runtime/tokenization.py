"""Items to rows of token ids: encoded in Rust threads, truncated longest first, framed by special tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from probes.types import Item
from runtime.manifest import ModelFolderError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Row:
    """Token ids and segment ids of one item, special tokens included; whether text was cut off."""

    ids: list[int]
    types: list[int]
    truncated: bool


class TooLongError(ValueError):
    """An item has more tokens than the model takes and truncation was refused."""

    def __init__(self, index: int, tokens: int, max_length: int) -> None:
        super().__init__(f"input {index} has {tokens} tokens, the model takes {max_length}; shorten it or truncate")
        self.index, self.tokens, self.max_length = index, tokens, max_length


class Tokenization:
    """A tokenizer.json and a length; safe to call from several threads."""

    def __init__(self, path: Path, max_length: int) -> None:
        self._tokenizer = _read(path)
        self._single = _Template.of(self._tokenizer, pair=False)
        self._pair = _Template.of(self._tokenizer, pair=True)
        self.max_length = max_length
        self._frame = self._single.frame(max_length)

    def __call__(self, items: Sequence[Item], *, truncate: bool = True) -> list[Row]:
        """One row per item, of at most max_length ids; a lone surrogate counts as U+FFFD. Raises TooLongError."""
        texts = [text for item in items for text in (item.text, item.pair) if text is not None]
        if _SURROGATES.search("".join(texts)):
            texts = [_SURROGATES.sub("\ufffd", text) for text in texts]
        encoded = iter(self._tokenizer.encode_batch_fast(texts, add_special_tokens=False))
        before, after, room = self._frame
        special, rows = self.max_length - room, []
        for index, (item, encoding) in enumerate(zip(items, encoded, strict=False)):
            first = encoding.ids
            if item.pair is None and (count := len(first)) <= room:  # neither a pair nor too long, as most are
                rows.append(Row([*before, *first, *after], [0] * (count + special), False))
                continue
            second = next(encoded).ids if item.pair is not None else None
            row = self._assemble(first, second)
            if row.truncated and not truncate:
                special = len(row.ids) - sum(self._room(first, second))
                raise TooLongError(index, len(first) + len(second or ()) + special, self.max_length)
            rows.append(row)
        return rows

    def _assemble(self, first: list[int], second: list[int] | None) -> Row:
        template = self._single if second is None else self._pair
        kept, kept_second = self._room(first, second)
        ids, types = template.fill(first[:kept], (second or [])[:kept_second])
        return Row(ids, types, kept + kept_second < len(first) + len(second or ()))

    def _room(self, first: list[int], second: list[int] | None) -> tuple[int, int]:
        """Tokens kept of each text: the longer one is cut first, as `longest_first` of the tokenizers library does.

        Cut here and not there: its list of what overflowed grows with the product of the two lengths.
        """
        if second is None:
            return min(len(first), self.max_length - self._single.special), 0
        room = self.max_length - self._pair.special
        short, long = sorted((len(first), len(second)))
        long = min(long, max(short, room - short))
        if short + long > room:
            short, long = room // 2, room - room // 2
        return (long, short) if len(first) > len(second) else (short, long)


@dataclass(frozen=True, slots=True)
class _Template:
    """The special tokens before, between and after the texts, and the segment id of every part."""

    parts: tuple[tuple[int | None, tuple[int, ...], int], ...]
    """(which text or None, special token ids, segment id) in order."""

    @classmethod
    def of(cls, tokenizer: Tokenizer, *, pair: bool) -> _Template:
        """Read off an encoded example, so that every post-processor is served."""
        example = tokenizer.encode("a", "a") if pair else tokenizer.encode("a")
        parts: list[tuple[int | None, tuple[int, ...], int]] = []
        for token, segment, text in zip(example.ids, example.type_ids, example.sequence_ids, strict=True):
            if text is None:
                parts.append((None, (token,), segment))
            elif all(part[0] != text for part in parts):
                parts.append((text, (), segment))
        if sum(part[0] is not None for part in parts) != 1 + pair:
            raise ModelFolderError("tokenizer.json: it makes no token of the letter a; is it a text tokenizer?")
        return cls(tuple(parts))

    def frame(self, max_length: int) -> tuple[tuple[int, ...], tuple[int, ...], int]:
        """Ids before and after a lone text, and the tokens it may have; -1 where its segment ids are not all 0."""
        place = next(at for at, part in enumerate(self.parts) if part[0] is not None)
        before, after = (
            tuple(token for part in parts for token in part[1])
            for parts in (self.parts[:place], self.parts[place + 1 :])
        )
        return before, after, -1 if any(part[2] for part in self.parts) else max_length - self.special

    @property
    def special(self) -> int:
        return sum(len(ids) for _, ids, _ in self.parts)

    def fill(self, *texts: list[int]) -> tuple[list[int], list[int]]:
        """Ids and segment ids of a whole row."""
        ids: list[int] = []
        types: list[int] = []
        for text, special, segment in self.parts:
            added = special if text is None else texts[text]
            ids.extend(added)
            types.extend([segment] * len(added))
        return ids, types


def _read(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise ModelFolderError(f"{path}: the tokenizers library cannot read it ({error})") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
