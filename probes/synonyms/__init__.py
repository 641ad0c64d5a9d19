"""Synonyms: small lists of our own making beside this file, or a file of the user's, and the edits they allow.

`probes.synonyms.sources` has all there are by name: these, thesauri and wordnets.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from probes.data import DataError
from probes.languages import Language
from probes.scripts.casing import lower, match_case
from probes.text import borders, script_of, words
from probes.types import Edit

Synonyms = Mapping[str, tuple[str, ...]]
"""A word in small letters to words of about the same meaning."""

FOLDER = Path(__file__).parent

# Code points of the longest word that is looked for in a text that does not separate its words.
LONGEST = 24


@lru_cache(maxsize=1)
def codes() -> frozenset[str]:
    """Languages a list is shipped for."""
    return frozenset(path.stem for path in FOLDER.glob("*.json"))


@lru_cache(maxsize=64)
def of(code: str) -> Synonyms:
    """The shipped list of a language, empty if there is none."""
    return load(FOLDER / f"{code}.json") if code in codes() else {}


def by_language(folder: Path) -> dict[str, Path]:
    """The files XX.json.gz and XX.json of a folder by what stands for XX; of two of one language the packed one."""
    files = (path for ending in (".json", ".json.gz") for path in sorted(folder.glob(f"*{ending}")))
    return {path.name.partition(".")[0]: path for path in files}


def load(path: str | Path) -> Synonyms:
    """Synonyms of a file {"word": ["synonym", ...]}, .json or .json.gz; DataError says what else it holds."""
    return _load(Path(path), Path(path).stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _load(path: Path, changed: int) -> Synonyms:
    """The file as it was at a time, read once."""
    raw = path.read_bytes()
    try:
        content = json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{path}: not JSON ({error})") from error
    if not isinstance(content, dict):
        raise DataError(f'{path}: expected an object {{"word": ["synonym", ...]}}, found {type(content).__name__}')
    for word, others in content.items():
        if not isinstance(others, list) or not all(isinstance(other, str) and other for other in others):
            raise DataError(f"{path}: {word!r} should have a list of words, not {others!r}")
    return {word: tuple(others) for word, others in content.items()}


def edits(text: str, language: Language, source: Synonyms) -> Iterator[Edit]:
    """Every exchange of a word of the text for one of its synonyms, in the word's script and case.

    A word in small letters never becomes one that has a capital of its own: a name, or in German a noun.
    """
    for start, end in words(text, language) if language.spaces else matches(text, source):
        word = text[start:end]
        for other in source.get(word) or source.get(lower(word, language), ()):
            named = word[0].islower() and other[0].isupper()
            if not named and (script_of(other[0]) == script_of(word[0]) or not language.spaces):
                yield Edit(start, end, match_case(word, other, language))


def matches(text: str, source: Synonyms) -> Iterator[tuple[int, int]]:
    """The longest words of the list, left to right, in a text that does not separate its words."""
    at, start = borders(text), 0
    while start < len(text):
        ends = range(min(len(text), start + LONGEST), start, -1)
        end = next((end for end in ends if end in at and text[start:end] in source), None) if start in at else None
        if end:
            yield start, end
        start = end or start + 1
