"""OCR: letters read as others of about the same shape, as a scanner does."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from probes.languages import Language
from probes.perturbations import NEEDS, perturbation, same_scripts
from probes.scripts.casing import lower
from probes.scripts.keyboards import typed_letters
from probes.text import letters, script_of
from probes.types import Edit

# Scripts of more signs than a keyboard types one by one, and the marks and digits of all.
_COUNTLESS = frozenset(("Han", "Hangul", "Hiragana", "Katakana", "Ethiopic", "Inherited", "Common"))
_TABLE = Path(__file__).parent.parent / "scripts" / "tables" / "ocr.tsv"


@perturbation(unit="grapheme", needs="letters scanners confuse")
def ocr(text: str, language: Language) -> Iterator[Edit]:
    """A letter, or two, is read as one of about the same shape that the language writes: rn as m, 未 as 末."""
    for word in letters(text, language):
        for start, end in word:
            yield from _read(text, start, end, language)
        for (start, middle), (other, end) in pairwise(word):
            if middle == other:
                yield from _kept(text, start, end, _alike().get(text[start:end], ()), language)


def _read(text: str, start: int, end: int, language: Language) -> Iterator[Edit]:
    """One writing unit with a letter or mark of it read as another."""
    unit = text[start:end]
    composed = unicodedata.is_normalized("NFC", unit)
    parts = unicodedata.normalize("NFD", unit) if composed else unit
    if len(parts) > 1:
        yield from _kept(text, start, end, _alike().get(unit, ()), language)
    for at, part in enumerate(parts):
        # Two letters for one only where no mark hangs on it.
        others = [other for other in _alike().get(part, ()) if len(other) == 1 or len(parts) == 1]
        read = [parts[:at] + other + parts[at + 1 :] for other in others]
        whole = [unicodedata.normalize("NFC", r) for r in read] if composed else read
        # A mark that finds no seat on the other letter would not be read.
        yield from _kept(text, start, end, [r for r in whole if len(parts) == 1 or len(r) <= len(unit)], language)


def _kept(text: str, start: int, end: int, read: Iterable[str], language: Language) -> Iterator[Edit]:
    """A scanner set to the language reads its letters; those of the text where they are not known."""
    known = typed_letters(language) + language.marked or text
    for new in read:
        own = (char in known or lower(char, language) in known for char in new if script_of(char) not in _COUNTLESS)
        if all(own) and same_scripts(text, edit := Edit(start, end, new)):
            yield edit


@lru_cache(maxsize=1)
def _alike() -> dict[str, tuple[str, ...]]:
    """What each letter, or pair of letters, may be read as; Hangul by its parts."""
    found: dict[str, list[str]] = {}
    for group in _groups():
        shapes = [unicodedata.normalize("NFKD", shape) if script_of(shape) == "Hangul" else shape for shape in group]
        for shape in shapes:
            found.setdefault(shape, []).extend(o for o in shapes if o != shape and 1 in (len(o), len(shape)))
    return {shape: tuple(dict.fromkeys(others)) for shape, others in found.items()}


@lru_cache(maxsize=1)
def _scripts() -> frozenset[str]:
    return frozenset(script_of(shape[0]) for group in _groups() for shape in group)


@lru_cache(maxsize=1)
def _groups() -> tuple[tuple[str, ...], ...]:
    """The groups of the table; the script and the reason of a line are for readers."""
    lines = (line.split("\t") for line in _TABLE.read_text("utf-8").splitlines())
    return tuple(tuple(shapes.split()) for _, shapes, _ in lines)


NEEDS["letters scanners confuse"] = lambda language: not language.scripts or bool(_scripts() & {*language.scripts})
