"""Bilingual lexicons as files: English words and their translations, best first, one XX.json.gz a language."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from probes.files import replacing

MAKE = "babelproof-train lexicon PAIRS --out DIR"
"""The command that makes lexicons."""


class LexiconError(ValueError):
    """A lexicon that cannot be made, found or read; says which and what to do."""


class Translation(NamedTuple):
    """A translation as it is written inside a sentence, and its score, above 0 and at most 1."""

    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Lexicon:
    """English words in small letters, each with its translations into one language, best first."""

    lang: str
    words: Mapping[str, tuple[Translation, ...]]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Where it is from: sources and their pairs, method, command, measured precision."""


def save(lexicon: Lexicon, folder: Path) -> Path:
    """Write FOLDER/XX.json.gz, whole or not at all; equal lexicons give equal bytes."""
    path = folder / f"{lexicon.lang}.json.gz"
    content = {"provenance": lexicon.provenance, "words": lexicon.words}
    with replacing(path) as temporary:
        temporary.write_bytes(gzip.compress(json.dumps(content, ensure_ascii=False).encode(), mtime=0))
    return path


def load(path: Path) -> Lexicon:
    """The lexicon in a file that `save` wrote, unpacked or not; LexiconError says what else it holds."""
    raw = path.read_bytes()
    try:
        content = json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
        words = {
            word: tuple(Translation(str(text), float(score)) for text, score in found)
            for word, found in content["words"].items()
        }
        return Lexicon(path.name.partition(".")[0], words, content["provenance"])
    except (ValueError, OSError, EOFError, KeyError, TypeError, AttributeError) as error:
        raise LexiconError(f"{path} is no lexicon ({error!r}); make one: {MAKE}") from error
