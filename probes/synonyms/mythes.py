"""Thesauri in the form of MyThes, the one of LibreOffice and of Debian's packages mythes-*: th_de_DE_v2.dat."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

import regex

from probes import languages
from probes.data import DataError
from probes.synonyms.meanings import Meaning

FOLDER = Path("/usr/share/mythes")
"""Where Debian's packages put them."""

_NAME = regex.compile(r"th(?:es)?_([a-z]{2,3})(?:[_-]\w+)*\.dat")
# Notes in brackets before and after a word; brackets inside one ("behänd(e)") are none.
_NOTE = regex.compile(r"(?<!\S)[(\[]([^()\[\]]*)[)\]](?!\S)")
# Notes that say that a word means something else (opposite, broader, narrower, part, similar, related, the name day of
# a name) or may not be said to everyone. The packages for bg ca cs da de en es fr gl hu id is it lv nb ne nn pl pt ro
# ru sk sl sv uk have no others; the dots stand for letters that Spanish lost on its way to ISO 8859-1.
_OTHERWISE = regex.compile(
    r"\b(?:ant.{1,3}n[iyí]m|антоним|антонім|protipomenk|andheiti|"
    r"(?:generic|similar|related) term|сходный термин|связанный термин|oberbegriff|unterbegriff|"
    r"pojęcie (?:nad|pod)rzędne|nadpomenk|podpomenk|yfirheiti|undirheiti|overbegreb|underbegreb|"
    r"kategória|kat\.|jel\b|névnap|[vw]ulg|derb\b|obraźl|slabšaln)",
    regex.IGNORECASE,
)


def thesauri(where: Path) -> Mapping[str, tuple[Path, ...]]:
    """The thesauri of a folder, or a file that is one, by language; a file that several countries share counts once."""
    found: dict[str, dict[Path, None]] = defaultdict(dict)
    for path in sorted(where.glob("*.dat")) if where.is_dir() else [where]:
        if (name := _NAME.fullmatch(path.name)) and path.is_file():
            found[languages.get(name[1]).code][path.resolve()] = None
    if not found:
        raise DataError(
            f"{where}: there is no thesaurus th_XX.dat or th_XX_YY_v2.dat, XX a language; Debian has mythes-XX"
        )
    return {code: tuple(paths) for code, paths in found.items()}


def entries(path: Path) -> Iterator[tuple[str, str]]:
    """Every word with the line of each of its meanings; DataError names the line of the file that is wrong."""
    with path.open("rb") as stream:
        encoding = _encoding(path, stream.readline())
        lines = ((number, _text(path, number, raw, encoding)) for number, raw in enumerate(stream, 2))
        for number, line in lines:
            word, _, count = line.rpartition("|")
            if not line.strip():
                continue
            if not count.strip().isdecimal() or "|" in word:
                raise DataError(f"{path}, line {number}: word|number of its meanings expected, not {line[:80]!r}")
            own = [text for _, text in islice(lines, int(count))]
            if len(own) < int(count):
                raise DataError(
                    f"{path}, line {number}: {word!r} has {len(own)} of its {int(count)} meanings; cut short?"
                )
            yield from ((word, text) for text in own)


def meaning(line: str) -> Meaning | None:
    """What a line says; None where it stands for words that mean something else."""
    speech, *cells = line.split("|")
    return None if _OTHERWISE.search(speech) else Meaning(_speech(speech), tuple(filter(None, map(_word, cells))))


def _word(cell: str) -> str:
    """The word of a cell without its notes; empty where they say that it means something else."""
    if "(" not in cell and "[" not in cell:
        return cell.strip()
    if any(_OTHERWISE.search(note) for note in _NOTE.findall(cell)):
        return ""
    return " ".join(_NOTE.sub(" ", cell).split())


def _speech(cell: str) -> str:
    """The first word of what stands before the meanings: (noun), (s.m. Tirocinio), [n] or -."""
    found = regex.search(r"\w+", cell)
    return found[0] if found else ""


def _encoding(path: Path, first: bytes) -> str:
    name = first.removeprefix(b"\xef\xbb\xbf").decode("ascii", "replace").strip().removeprefix("microsoft-")
    try:
        "".encode(name)
    except (LookupError, ValueError) as error:
        raise DataError(
            f"{path}, line 1: an encoding such as UTF-8 or ISO8859-1 expected, not {name[:80]!r}"
        ) from error
    return name


def _text(path: Path, number: int, raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding).rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}, line {number}: not {encoding}, as its first line says ({error})") from error
