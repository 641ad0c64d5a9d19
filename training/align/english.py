"""English text that nothing is a translation of: plain lines, rows of a data set, or WordNet's glosses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from training.align.pairs import ENGLISH, PairsError, ParallelText, kind_of, open_text

_GLOSSES = re.compile(r"data\.(noun|verb|adj|adv)")
_EXAMPLE = re.compile(r'"([^"]{20,})"')
_MARKER = re.compile(r"\(.*\)$")
_GLOSS_CHARACTERS = 400


def add_english(pairs: ParallelText, path: Path) -> None:
    """Add what a file holds, plain or packed, by its name.

    data.noun, data.verb, data.adj and data.adv are WordNet's (Debian: wordnet-base); of JSONL text and text_pair of the
    English rows are taken, and the folder names the source; of any other file the lines, and its name to the first dot.
    """
    if not path.is_file():
        raise PairsError(f"{path}: no such file of English text")
    if _GLOSSES.fullmatch(path.name):
        source, texts = "wordnet_glosses", _glosses(path)
    elif kind_of(path) == "jsonl":
        source, texts = path.resolve().parent.name, _rows(path)
    else:
        source, texts = path.name.split(".")[0], _lines(path)
    for text in texts:
        pairs.add_english(text, source)


def _lines(path: Path) -> Iterator[str]:
    with open_text(path) as stream:
        yield from stream


def _rows(path: Path) -> Iterator[str]:
    for number, line in enumerate(_lines(path), 1):
        try:
            row = json.loads(line)
            if row["lang"] == ENGLISH:
                yield from (row["text"], *([row["text_pair"]] if row.get("text_pair") else []))
        except (ValueError, KeyError, TypeError) as error:
            raise PairsError(f"{path}:{number}: a row needs lang and text ({error!r})") from error


def _glosses(path: Path) -> Iterator[str]:
    """Of every synset up to two lemmas with its gloss, and each example that is a sentence."""
    with path.open(encoding="latin-1") as stream:
        for line in stream:
            head, bar, gloss = line.partition("|")
            if line.startswith("  ") or not bar:  # the licence
                continue
            fields = head.split()
            lemmas = [
                _MARKER.sub("", word).replace("_", " ") for word in fields[4 : 4 + 2 * min(int(fields[3], 16), 2) : 2]
            ]
            said = " ".join(gloss.split())
            yield f"{', '.join(lemmas)}: {said[:_GLOSS_CHARACTERS]}"
            yield from (example for example in _EXAMPLE.findall(said) if example.count(" ") >= 3)
