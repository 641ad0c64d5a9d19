"""Parallel text: sentences of many languages, each beside its English one."""

from __future__ import annotations

import csv
import gzip
import json
import lzma
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from probes.data import DataError
from probes.synonyms import wordnet

ENGLISH = "en"
LEXICON = "lexicon"
MAX_CHARACTERS = 450


class PairsError(ValueError):
    """Parallel text that cannot be read; says which file and why."""


@dataclass
class ParallelText:
    """Distinct English texts, and for every language and source its texts with the index of the English one.

    sources has the indices of the English texts by the source that had them first.
    """

    english: list[str] = field(default_factory=list)
    sources: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    rows: dict[str, dict[str, list[tuple[str, int]]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    _index: dict[str, int] = field(default_factory=dict, repr=False)
    _seen: dict[str, set[tuple[str, int]]] = field(default_factory=lambda: defaultdict(set), repr=False)

    def add(self, lang: str, text: str, english: str, source: str) -> None:
        """Add one pair; empty, very long, untranslated and repeated ones are passed over."""
        text, english = " ".join(text.split()), " ".join(english.split())
        if not text or not english or max(len(text), len(english)) > MAX_CHARACTERS or text == english:
            return
        index = self._number(english, source)
        if (text, index) not in self._seen[lang]:
            self._seen[lang].add((text, index))
            self.rows[lang][source].append((text, index))

    def add_english(self, text: str, source: str) -> None:
        """Add English text that nothing is a translation of; empty and very long ones are passed over."""
        text = " ".join(text.split())
        if 0 < len(text) <= MAX_CHARACTERS:
            self._number(text, source)

    def _number(self, english: str, source: str) -> int:
        index = self._index.setdefault(english, len(self.english))
        if index == len(self.english):
            self.english.append(english)
            self.sources[source].append(index)
        return index

    def texts(self, lang: str) -> list[str]:
        """All texts of a language; of English, each distinct one once."""
        return self.english if lang == ENGLISH else [text for rows in self.rows[lang].values() for text, _ in rows]

    def counts(self) -> dict[str, int]:
        """Pairs by language, most first."""
        counts = {lang: sum(map(len, sources.values())) for lang, sources in self.rows.items()}
        return dict(sorted(counts.items(), key=lambda pair: -pair[1]))

    def keep(self, languages: Iterable[str]) -> None:
        """Forget every other language."""
        kept = set(languages)
        for lang in set(self.rows) - kept:
            del self.rows[lang]


def open_text(path: Path) -> IO[str]:
    """Open a text file that may be packed with gzip or xz."""
    opener = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix, open)
    return opener(path, "rt", encoding="utf-8", newline="")  # type: ignore[operator]


def kind_of(path: Path) -> str | None:
    """What the file name says: tsv, jsonl, or None for anything else."""
    suffixes = [suffix for suffix in path.suffixes if suffix not in {".gz", ".xz"}]
    return {".tsv": "tsv", ".jsonl": "jsonl"}.get(suffixes[-1] if suffixes else "")


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            found = sorted(file for file in path.rglob("*") if file.is_file() and kind_of(file))
            if not found:
                raise PairsError(f"{path}: no .tsv or .jsonl file in this folder")
            yield from found
        elif path.is_file():
            yield path
        else:
            raise PairsError(f"{path}: no such file or folder")


def _read_tsv(path: Path) -> Iterator[tuple[str, str, str]]:
    with open_text(path) as stream:
        reader = csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        header = next(reader, [])
        if ENGLISH not in header:
            raise PairsError(f"{path}: the first line must name the columns, one of them '{ENGLISH}'; it has {header}")
        english = header.index(ENGLISH)
        columns = [(i, lang) for i, lang in enumerate(header) if lang not in {ENGLISH, "key"}]
        for row in reader:
            for i, lang in columns:
                if i < len(row) and row[i] and english < len(row):
                    yield lang, row[i], row[english]


def _read_jsonl(
    path: Path, source: str, by_id: dict[tuple[str, str], dict[str, list[str]]]
) -> Iterator[tuple[str, str, str]]:
    """Rows with `en` are pairs at once; rows with an `id` wait in by_id for the English row of the same id."""
    with open_text(path) as stream:
        for number, line in enumerate(stream, 1):
            try:
                row = json.loads(line)
                lang, text = row["lang"], row["text"]
            except (ValueError, KeyError, TypeError) as error:
                raise PairsError(f"{path}:{number}: a row needs lang, text, and en or id ({error!r})") from error
            if "en" in row:
                yield lang, text, row["en"]
            elif "id" in row:
                by_id[source, row["id"]][lang] = [text, *([row["text_pair"]] if row.get("text_pair") else [])]
            else:
                raise PairsError(f"{path}:{number}: neither 'en' nor 'id' beside the text")


def read_pairs(paths: Iterable[Path]) -> ParallelText:
    """Read TSV and JSONL files, or folders of them, plain or packed; the folder of a file names its source.

    A TSV names its columns in the first line: `en` and other languages (`key` is passed over). A JSONL row holds
    `lang`, `text` and either `en` or an `id` that it shares with an English row.
    """
    pairs = ParallelText()
    by_id: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(dict)
    for path in _files(paths):
        source = path.resolve().parent.name
        found = _read_tsv(path) if kind_of(path) == "tsv" else _read_jsonl(path, source, by_id)
        for lang, text, english in found:
            if lang != ENGLISH:
                pairs.add(lang, text, english, source)
    for (source, _), texts in by_id.items():
        for lang, own in texts.items():
            if lang != ENGLISH:
                for text, english in zip(own, texts.get(ENGLISH, ()), strict=False):
                    pairs.add(lang, text, english, source)
    return pairs


def add_lexicon(pairs: ParallelText, folder: Path) -> None:
    """Add word pairs from wordnets on shared keys, for the languages that pairs has.

    The folder holds XX.tsv files, plain or packed: a key, then columns "lemmas..." of lemmas joined by |.
    """
    english = {key: lemmas[0] for key, lemmas in _wordnet(folder, ENGLISH)}
    if not english:
        raise PairsError(f"{folder}: no English wordnet (en.tsv, en.tsv.gz or en.tsv.xz) in this folder")
    for lang in sorted(pairs.rows):
        for key, lemmas in _wordnet(folder, lang):
            for lemma in lemmas[:2]:
                pairs.add(lang, lemma, english.get(key, ""), LEXICON)


def _wordnet(folder: Path, lang: str) -> Iterator[tuple[str, Sequence[str]]]:
    for path in sorted(folder.glob(f"{lang}.tsv*")):
        try:
            yield from ((key, lemmas) for key, lemmas in wordnet.tsv(path).items() if lemmas)
        except DataError as error:
            raise PairsError(str(error)) from error
