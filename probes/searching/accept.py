"""What an attack may do to a text: how much, where not, and what must stay alike; composed from a step's keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, cast

import regex

from probes import detect
from probes.dose import distance
from probes.languages import Language
from probes.registry import UnknownName, load_object, unknown
from probes.text import Span, graphemes, splice, words
from probes.types import Accept, Edit

if TYPE_CHECKING:
    from probes.steps import Step

Similarity = Callable[[str, str], float]
"""How alike two texts are, 1 for the same."""

PROTECTED = {
    "numbers": r"[\p{N}](?:[\p{N}.,:/٫٬-]*\p{N})?",
    "urls": r"(?:https?://|www\.)\S+|[\p{L}\p{N}._%+-]+@[\p{L}\p{N}.-]+\.\p{L}{2,}",
    # Capitalised words inside a sentence: in German every noun, in scripts without capitals none.
    "names": r"(?<=[\p{L}\p{M},;]\s)\p{Lu}[\p{L}\p{M}'’-]+(?:\s\p{Lu}[\p{L}\p{M}'’-]+)*",
}
"""Kinds of spans a step may protect, beside `text:WORDS` and `regex:PATTERN`."""


def of(step: Step, language: Language) -> Accept:
    """Everything a step demands of an attack on a text of the language; the cheap demands are looked at first."""
    demands = [within(step.strength or 0.0)]
    if step.protect:
        demands.append(sparing(step.protect))
    if step.max_characters is not None:
        demands.append(partial(_near_characters, step.max_characters))
    if step.max_words is not None:
        demands.append(partial(_near_words, step.max_words, language))
    if step.keep_language:
        demands.append(_same_language)
    if step.similarity is not None:
        demands.append(partial(_similar, similarity(step.similarity), step.least_similarity))
    return lambda text, edits: all(demand(text, edits) for demand in demands)


def within(share: float) -> Accept:
    """Accept non-overlapping edits that touch at most share (0..1) of the graphemes; one is always allowed."""

    def accept(text: str, edits: Sequence[Edit]) -> bool:
        if not apart(edits):
            return False
        return len(edits) <= 1 or sum(cost(text, edit) for edit in edits) <= share * _length(text)

    return accept


def sparing(protected: Sequence[str]) -> Accept:
    """Accept edits that neither touch a protected span nor border on it: 42 must not become 421 either."""

    def accept(text: str, edits: Sequence[Edit]) -> bool:
        spans = _spans(text, tuple(protected))
        return not any(edit.start <= end and edit.end >= start for edit in edits for start, end in spans)

    return accept


def pattern(name: str) -> str:
    """The regular expression of a kind of protected span, of `text:WORDS` or `regex:PATTERN`; refuses what is none."""
    kind, colon, argument = name.partition(":")
    if not colon and kind in PROTECTED:
        return PROTECTED[kind]
    if colon and argument and kind == "text":
        return str(regex.escape(argument))
    if colon and argument and kind == "regex":
        try:
            regex.compile(argument)
            return argument
        except regex.error as error:
            raise ValueError(f"{argument!r} is no regular expression: {error}") from error
    raise unknown("protected span", name, (*PROTECTED, "text:WORDS", "regex:PATTERN"))


def similarity(name: str) -> Similarity:
    """The measure that "their.module:thing" names; called with the text before and after."""
    found = load_object(name)
    if not callable(found):
        raise UnknownName(f"{name!r} is no similarity: it cannot be called")
    return cast(Similarity, found)


def apart(edits: Sequence[Edit]) -> bool:
    """Whether no two edits overlap or start at the same place."""
    return all(
        a.end <= b.start and a.start < b.start for a, b in pairwise(sorted(edits, key=attrgetter("start", "end")))
    )


def cost(text: str, edit: Edit) -> int:
    """Graphemes an edit takes away or puts in, whichever is more."""
    if edit.end - edit.start <= 1 and len(edit.new) <= 1:
        return 1
    return max(1, len(graphemes(text[edit.start : edit.end])), len(graphemes(edit.new)))


def near(before: Sequence[str], after: Sequence[str], most: int) -> bool:
    """Whether the Levenshtein distance is at most so much."""
    return abs(len(before) - len(after)) <= most and distance(before, after) <= most


def _near_characters(most: int, text: str, edits: Sequence[Edit]) -> bool:
    if sum(cost(text, edit) for edit in edits) <= most:
        return True  # the cost of the edits is never less than the distance
    return near(_parts(text, graphemes(text)), _parts(after := splice(text, edits), graphemes(after)), most)


def _near_words(most: int, language: Language, text: str, edits: Sequence[Edit]) -> bool:
    after = splice(text, edits)
    return near(_parts(text, words(text, language)), _parts(after, words(after, language)), most)


def _same_language(text: str, edits: Sequence[Edit]) -> bool:
    return detect.detect(splice(text, edits))[0] == _language(text)


def _similar(measure: Similarity, least: float, text: str, edits: Sequence[Edit]) -> bool:
    return measure(text, splice(text, edits)) >= least


def _parts(text: str, spans: Sequence[Span]) -> list[str]:
    return [text[start:end] for start, end in spans]


@lru_cache(maxsize=256)
def _spans(text: str, protected: tuple[str, ...]) -> list[Span]:
    found = (match.span() for name in protected for match in regex.finditer(pattern(name), text))
    return [(start, end) for start, end in found if start < end]


@lru_cache(maxsize=256)
def _length(text: str) -> int:
    return len(graphemes(text))


@lru_cache(maxsize=256)
def _language(text: str) -> str:
    return detect.detect(text)[0]
