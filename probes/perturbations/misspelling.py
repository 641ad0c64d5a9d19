"""Misspelling: a word as people really misspell it, or mishear it, out of a file of the user's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from pathlib import Path

from probes import languages, synonyms
from probes.languages import Language
from probes.perturbations import Probe, family
from probes.synonyms import Synonyms
from probes.types import Edit


@family("misspelling")
def misspelling(path: str) -> Probe:
    """A word of FILE becomes what stands beside it: word, tab, misspelling, and perhaps a tab and a language code.

    Lines without a code count in every language; a word may stand in several lines; # begins a comment. ValueError
    says which line is none.
    """
    pairs = _pairs(Path(path), Path(path).stat().st_mtime_ns)
    summary = f"A word is misspelled as in {Path(path).name}."
    return Probe(f"misspelling:{path}", summary, "word", None, partial(_edits, pairs), files=(Path(path),))


def _edits(pairs: Mapping[str, Synonyms], text: str, language: Language) -> Iterator[Edit]:
    for code in ("", language.code):
        yield from synonyms.edits(text, language, pairs.get(code, {}))


@lru_cache(maxsize=8)
def _pairs(path: Path, changed: int) -> Mapping[str, Synonyms]:
    """Words and their misspellings by language, of the file as it was at a time."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for number, line in enumerate(path.read_text("utf-8-sig").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        if not 2 <= len(cells) <= 3 or not all(cells):
            raise ValueError(
                f"{path}, line {number}: word, tab, misspelling (and tab, language) expected, not {line!r}"
            )
        code = languages.get(cells[2]).code if len(cells) == 3 else ""
        found[code][cells[0]].append(cells[1])
    if not found:
        raise ValueError(f"{path}: there are no misspellings in it; a line is word, tab, misspelling")
    return {code: {word: tuple(wrong) for word, wrong in rows.items()} for code, rows in found.items()}
