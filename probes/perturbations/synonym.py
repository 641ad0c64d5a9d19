"""Synonym: a word is replaced by one of about the same meaning, from our lists or from a source that is named."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from probes import synonyms
from probes.languages import Language
from probes.perturbations import Probe, family, perturbation
from probes.synonyms.sources import Source, source
from probes.types import Edit


@perturbation(unit="word", needs="synonyms")
def synonym(text: str, language: Language) -> Iterator[Edit]:
    """A word is replaced by one of about the same meaning; capitals stay."""
    return synonyms.edits(text, language, synonyms.of(language.code))


@family("synonym")
def synonym_of(name: str) -> Probe:
    """The same with the synonyms of a source: mythes, mythes:PATH, wordnet:PATH, own, or a JSON file or folder."""
    return _probe(name, source(name))


@lru_cache(maxsize=16)
def _probe(name: str, found: Source) -> Probe:
    def edits(text: str, language: Language) -> Iterator[Edit]:
        return synonyms.edits(text, language, found.of(language.code))

    summary = f"A word is replaced by a synonym out of {found.what}: {name}."
    files = () if name == "own" else found.paths  # ours change with the version, which a report says too
    return Probe(f"synonym:{name}", summary, "word", None, edits, found.codes, files)
