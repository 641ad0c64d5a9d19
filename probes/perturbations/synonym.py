"""Synonym: a word is replaced by one of about the same meaning, from our lists or from a file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from probes import synonyms
from probes.languages import Language
from probes.perturbations import Probe, family, perturbation
from probes.types import Edit


@perturbation(unit="word", needs="synonyms")
def synonym(text: str, language: Language) -> Iterator[Edit]:
    """A word is replaced by one of about the same meaning; capitals stay."""
    return synonyms.edits(text, language, synonyms.of(language.code))


@family("synonym")
def synonym_file(path: str) -> Probe:
    """The same with the synonyms of a file, {"word": ["synonym", ...]} in .json or .json.gz."""
    edits = partial(synonyms.edits, source=synonyms.load(Path(path)))
    return Probe(f"synonym:{path}", f"A word is replaced by a synonym of {Path(path).name}.", "word", None, edits)
