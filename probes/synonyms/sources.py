"""Where synonyms come from, by name: own, mythes[:PATH], wordnet:PATH, or a JSON file or folder of the user's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path

from probes import languages, synonyms
from probes.data import DataError
from probes.languages import Language
from probes.synonyms import Synonyms, mythes, wordnet
from probes.synonyms.meanings import Ranked

Paths = tuple[Path, ...]
Files = Mapping[str, Paths]
"""Files by language; those under "" are for all."""

NAMES: Mapping[str, str] = {
    "synonym:own": "small lists of our own making, which ship; the perturbation `synonym` likewise",
    "synonym:mythes": f"thesauri of Debian's packages mythes-XX, in {mythes.FOLDER}",
    "synonym:mythes:PATH": "a thesaurus th_XX.dat, or a folder of them",
    "synonym:wordnet:PATH": "a wordnet (XX.tsv, wn-data-XXX.tab, WN-LMF in .xml; also .gz, .xz), or a folder of them",
    "synonym:FILE": 'a file {"word": ["synonym", ...]} in .json or .json.gz for all languages, or a folder of XX.json',
    "training.neighbours:DIR": "nearest neighbours in the embedding space of a model: words used alike, antonyms too",
}
"""Every source by the perturbation that takes it, and what it is."""


@dataclass(frozen=True, eq=False)
class Source:
    """Synonyms by language, read when they are first asked for, and what they are."""

    what: str
    files: Files
    read: Callable[[Paths, Language], Synonyms]

    @property
    def codes(self) -> frozenset[str] | None:
        """Languages it has synonyms of; None: it does not say, one list stands for all."""
        return None if "" in self.files else frozenset(self.files)

    @property
    def paths(self) -> Paths:
        """Its files, each once."""
        return tuple(dict.fromkeys(chain.from_iterable(self.files.values())))

    def of(self, code: str) -> Synonyms:
        """Synonyms of a language, empty if there are none; DataError names the line of a file that is wrong."""
        paths = self.files.get(code, self.files.get("", ()))
        return _read(self.read, paths, tuple(path.stat().st_mtime_ns for path in paths), code)


def source(name: str) -> Source:
    """The source of a name; DataError where there is none such, or nothing in it."""
    kind, colon, path = name.partition(":")
    if name == "own":
        return _opened(kind, synonyms.FOLDER, 0)
    if kind == "wordnet" and not path:
        raise DataError("synonym:wordnet needs a wordnet of yours: synonym:wordnet:FILE or synonym:wordnet:FOLDER")
    if kind == "embedding":
        raise DataError("synonym:embedding: nearest neighbours of a model are the perturbation training.neighbours:DIR")
    where = (Path(path) if colon else mythes.FOLDER) if kind in _OPENERS else Path(name)
    if not where.exists():
        hint = " (none of Debian's packages mythes-XX is installed)" if where == mythes.FOLDER else ""
        raise DataError(f"synonyms: there is no file or folder {where}{hint}; there are {', '.join(NAMES)}")
    return _opened(kind if kind in _OPENERS else "", where, where.stat().st_mtime_ns)


def here(name: str) -> frozenset[str]:
    """Languages of a source out of NAMES as it stands on this machine; none where it needs a path."""
    try:
        found = None if name.endswith(("PATH", "FILE", "DIR")) else source(name.removeprefix("synonym:"))
    except DataError:
        found = None
    return found.codes or frozenset() if found else frozenset()


@lru_cache(maxsize=16)
def _opened(kind: str, where: Path, changed: int) -> Source:
    """A source as it was at a time; a single file is read at once, so that what is wrong with it is told at once."""
    what, files, read = _OPENERS[kind]
    try:
        found = Source(what, files(where), read)
        if where.is_file():
            for code in found.files:
                found.of(code)
    except OSError as error:
        raise DataError(f"{error.filename or where} cannot be read: {error.strerror}") from error
    return found


@lru_cache(maxsize=64)
def _read(read: Callable[[Paths, Language], Synonyms], paths: Paths, changed: tuple[int, ...], code: str) -> Synonyms:
    """What the files of a language said at a time, read once."""
    return read(paths, languages.get(code)) if paths else {}


def _lists(where: Path) -> Files:
    if not where.is_dir():
        return {"": (where,)}
    if not (found := synonyms.by_language(where)):
        raise DataError(f"synonyms: there is no XX.json or XX.json.gz, one a language, in the folder {where}")
    return {languages.get(code).code: (path,) for code, path in found.items()}


def _list(paths: Paths, language: Language) -> Synonyms:
    return synonyms.load(paths[0])


def _thesaurus(paths: Paths, language: Language) -> Synonyms:
    return Ranked(chain.from_iterable(map(mythes.entries, paths)), mythes.meaning, language)


def _wordnet(paths: Paths, language: Language) -> Synonyms:
    entries = chain.from_iterable(wordnet.entries(path, language.code) for path in paths)
    return Ranked(entries, lambda meaning: meaning, language)


_OPENERS: Mapping[str, tuple[str, Callable[[Path], Files], Callable[[Paths, Language], Synonyms]]] = {
    "own": ("our own lists", _lists, _list),
    "mythes": ("a mythes thesaurus", mythes.thesauri, _thesaurus),
    "wordnet": ("a wordnet", wordnet.wordnets, _wordnet),
    "": ("a list of the user's", _lists, _list),
}
