"""Code-mixing: a word gives way to its translation out of bilingual lexicons in a folder of the user's."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from pathlib import Path

from probes import languages
from probes.languages import Language
from probes.perturbations import Probe, family
from probes.scripts.casing import lower, match_case
from probes.synonyms import Synonyms, by_language, matches
from probes.text import words
from probes.types import Edit

# The best translations of a word that are offered, in each language.
MOST = 2


@family("code_mix")
def code_mix(folder: str) -> Probe:
    """Words of English texts become translations into every language of FOLDER, words of the others English ones.

    FOLDER holds XX.json.gz or XX.json, {"words": {english: [[translation, score], ...]}}, as `babelproof-train lexicon`
    writes them; ValueError where there are none. Word by word, without regard to the sentence.
    """
    if not (files := by_language(Path(folder))):
        raise ValueError(f"code_mix: there is no lexicon XX.json.gz in the folder {folder}")
    edits = partial(_edits, files)
    summary = f"A word is replaced by a translation of {Path(folder).name}."
    return Probe(f"code_mix:{folder}", summary, "word", None, edits, files=tuple(files.values()))


def _edits(files: Mapping[str, Path], text: str, language: Language) -> Iterator[Edit]:
    for code, path in sorted(files.items()):
        there, back = _lexicon(path, path.stat().st_mtime_ns)
        source = there if language.code == "en" else back if language.code == languages.get(code).code else {}
        for start, end in words(text, language) if language.spaces else matches(text, source):
            word = text[start:end]
            for other in source.get(word) or source.get(lower(word, language), ()):
                yield Edit(start, end, match_case(word, other, language))


@lru_cache(maxsize=64)
def _lexicon(path: Path, changed: int) -> tuple[Synonyms, Synonyms]:
    """English words to their translations and back, best first, of the file as it was at a time."""
    raw = path.read_bytes()
    there: dict[str, list[tuple[float, str]]] = defaultdict(list)
    back: dict[str, list[tuple[float, str]]] = defaultdict(list)
    try:
        content = json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
        for word, found in content["words"].items():
            for other, score in found:
                there[word].append((-float(score), str(other)))
                back[str(other)].append((-float(score), word))
    except (ValueError, OSError, EOFError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no lexicon ({error!r}); babelproof-train lexicon makes one") from error
    return _best(there), _best(back)


def _best(found: Mapping[str, list[tuple[float, str]]]) -> Synonyms:
    return {word: tuple(other for _, other in sorted(others)[:MOST] if other) for word, others in found.items()}
