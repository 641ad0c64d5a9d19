"""Wordnets: synset tables XX.tsv, tab files of the Open Multilingual Wordnet, and WN-LMF; plain, .gz or .xz.

Synonyms are the words of one synset. In a folder XX.tsv and XX.tsv.gz name their language themselves; tab files do so
in their first line, WN-LMF in its lexicons.
"""

from __future__ import annotations

import gzip
import lzma
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import IO
from xml.parsers import expat

from probes import languages
from probes.data import DataError
from probes.synonyms.meanings import Meaning

Synsets = Mapping[str, Sequence[str]]
"""Lemmas by key; a key ends in the part of speech, after a hyphen, as in 00001740-n."""

_BROKEN = (OSError, EOFError, lzma.LZMAError, zlib.error)


def wordnets(where: Path) -> Mapping[str, tuple[Path, ...]]:
    """The wordnets in a folder and the folders in it, or a file that is one, by language."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(where.rglob("*")) if where.is_dir() else [where]:
        for code in _codes(path) if path.is_file() else ():
            found[languages.get(code).code].append(path)
    if not found:
        raise DataError(f"{where}: there is no wordnet; XX.tsv, wn-data-XXX.tab and WN-LMF in .xml are read")
    return {code: tuple(paths) for code, paths in found.items()}


def entries(path: Path, code: str) -> Iterator[tuple[str, Meaning]]:
    """Every lemma of a language with every synset it is in; DataError names the line that is wrong."""
    kind = _kind(path)
    synsets = tsv(path) if kind == ".tsv" else _tab(path) if kind == ".tab" else _lmf(path)[code]
    for key, lemmas in synsets.items():
        speech = key.rpartition("-")[2] if "-" in key else ""
        meaning = Meaning("a" if speech == "s" else speech, tuple(lemmas))
        yield from ((lemma, meaning) for lemma in lemmas)


def tsv(path: Path) -> Synsets:
    """A table: its first line names the columns; the first is the key, "lemmas..." have lemmas joined by |."""
    rows = (line.split("\t") for _, line in _lines(path))
    columns = [number for number, name in enumerate(next(rows, [])) if name.startswith("lemmas")]
    if not columns:
        raise DataError(f"{path}: the first line must name a column 'lemmas'")
    cells = ((row[0], [row[number] for number in columns if number < len(row)]) for row in rows if row[0])
    return {key: [lemma for cell in own for lemma in cell.split("|") if lemma] for key, own in cells}


def _tab(path: Path) -> Synsets:
    """Of the Open Multilingual Wordnet: key, tab, what it is ("lemma", "fra:lemma"), tab, word; # begins a comment."""
    found: dict[str, list[str]] = defaultdict(list)
    for number, line in _lines(path):
        if not line.strip() or line.startswith("#"):
            continue
        key, *cells = line.split("\t")
        if len(cells) < 2:
            raise DataError(f"{path}, line {number}: offset-pos, tab, kind, tab, word expected, not {line[:80]!r}")
        if cells[0].rpartition(":")[2] == "lemma" and (word := " ".join(cells[1].replace("_", " ").split())):
            found[key].append(word)
    return found


def _lmf(path: Path) -> Mapping[str, Synsets]:
    return _lmf_of(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _lmf_of(path: Path, changed: int) -> Mapping[str, Synsets]:
    """Synsets by language, of the file as it was at a time. Entities of its own making are refused, none is fetched."""
    found: dict[str, dict[str, list[str]]] = {}
    at = {"language": "", "lemma": "", "speech": ""}

    def start(tag: str, said: dict[str, str]) -> None:
        if tag == "Lexicon":
            at["language"] = languages.get(said.get("language", "")).code
            found.setdefault(at["language"], {})
        elif tag == "Lemma":
            at["lemma"], at["speech"] = " ".join(said.get("writtenForm", "").split()), said.get("partOfSpeech", "")
        elif tag == "Sense" and at["lemma"]:
            found[at["language"]].setdefault(f"{said['synset']}-{at['speech']}", []).append(at["lemma"])

    def entity(name: str, *_: object) -> None:
        raise DataError(f"{path}, line {parser.CurrentLineNumber}: an entity {name!r} is declared; WN-LMF has none")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EntityDeclHandler = start, entity
    try:
        with _unpacked(path) as stream:
            parser.ParseFile(stream)
    except _BROKEN as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    except (expat.ExpatError, KeyError) as error:
        raise DataError(f"{path}, line {parser.CurrentLineNumber}: not WN-LMF ({error})") from error
    if not found:
        raise DataError(f"{path}: not WN-LMF, there is no Lexicon in it")
    return found


def _codes(path: Path) -> Sequence[str]:
    """The languages of a file, none if it is no wordnet."""
    kind = _kind(path)
    if kind == ".tsv":
        return re.findall(r"^[a-z]{2,3}(?=\.)", path.name)
    if kind == ".tab":
        said = next((line for _, line in islice(_lines(path), 1)), "").split("\t")
        return said[1:2] if said[0].startswith("#") else ()
    return tuple(_lmf(path)) if kind == ".xml" else ()


def _kind(path: Path) -> str:
    return (path.with_suffix("") if path.suffix in (".gz", ".xz") else path).suffix


def _unpacked(path: Path) -> IO[bytes]:
    opener = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix, open)
    return opener(path, "rb")  # type: ignore[operator, no-any-return]


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The numbered lines of a text file without their ends."""
    number = 0
    try:
        with _unpacked(path) as stream:
            for number, raw in enumerate(stream, 1):
                yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}, line {number}: not UTF-8 ({error})") from error
    except _BROKEN as error:
        raise DataError(f"{path}, after line {number}: {error}") from error
