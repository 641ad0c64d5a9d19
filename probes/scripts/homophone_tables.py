"""Write `tables/homophones_zh.tsv` and `homophones_ja.tsv`: words an input method offers for the same keys.

`python -m probes.scripts.homophone_tables PYPINYIN JIEBA IPADIC` takes the folder of the package pypinyin (readings),
dict.txt of the package jieba (frequencies) and the folder of IPADIC's *.csv (Debian's package mecab-ipadic).
A line is a reading and its words, commonest first.
"""

from __future__ import annotations

import csv
import json
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import regex

from probes.files import write_text

FOLDER = Path(__file__).parent / "tables"
# The common characters of a Chinese input method, and the common words of two and three.
_CHARACTERS, _WORDS = 4500, 16000
# Of IPADIC: nouns of one or two kanji, and of verbs and adjectives the forms one meets. Its costs put the words of
# a reading in order; they are no frequencies, so what is rare is left out by its kanji, those of JIS level 2.
_NOUN = regex.compile(r"\p{Han}{1,2}")
_VERB = regex.compile(r"\p{Han}\p{Hiragana}{1,2}")
_FILES = {"Noun.csv": _NOUN, "Noun.verbal.csv": _NOUN, "Noun.adjv.csv": _NOUN, "Verb.csv": _VERB, "Adj.csv": _VERB}
_FORMS = {"*", "基本形", "連用形", "連用タ接続", "連用テ接続"}
_DEAREST = 8000
_OFFERED = 6


def chinese(pypinyin: Path, jieba: Path) -> Iterator[str]:
    """Readings without tones, syllables apart, of characters and of words that share theirs with another word."""
    syllables = {
        chr(int(code)): plain(every.split(",")[0]) for code, every in _json(pypinyin / "pinyin_dict.json").items()
    }
    phrases = {
        word: " ".join(plain(each[0]) for each in every)
        for word, every in _json(pypinyin / "phrases_dict.json").items()
    }
    words, characters = Counter[str](), Counter[str]()
    for line in jieba.read_text("utf-8").splitlines():
        word, frequency, kind = line.split()
        if all(character in syllables and "\u4e00" <= character <= "\u9fff" for character in word):
            characters.update(dict.fromkeys(word, int(frequency)))
            if len(word) in (2, 3) and not kind.startswith("nr"):
                words[word] = int(frequency)
    yield from _lines(((syllables[each], each) for each, _ in characters.most_common(_CHARACTERS)), alone=True)
    common = [word for word, _ in words.most_common(_WORDS)]
    yield from _lines((phrases.get(word) or " ".join(syllables[each] for each in word), word) for word in common)


def japanese(ipadic: Path) -> Iterator[str]:
    """Readings in hiragana of words that begin with kanji and share theirs with another."""
    costs: dict[tuple[str, str], int] = {}
    for name, pattern in _FILES.items():
        with (ipadic / name).open(encoding="euc-jp", newline="") as file:
            for surface, _, _, cost, _, _, _, _, _, form, _, reading, *_ in csv.reader(file):
                if int(cost) <= _DEAREST and form in _FORMS and pattern.fullmatch(surface) and _level_one(surface):
                    hiragana = "".join(chr(ord(kana) - 0x60) if "ァ" <= kana <= "ヶ" else kana for kana in reading)
                    costs[hiragana, surface] = min(int(cost), costs.get((hiragana, surface), _DEAREST))
    yield from _lines(key for key, _ in sorted(costs.items(), key=lambda item: (item[1], item[0])))


def _level_one(word: str) -> bool:
    """Whether every character is of JIS X 0208, level 1, or no kanji."""
    return all(character.encode("euc_jp")[0] < 0xD0 for character in word)


def plain(pinyin: str) -> str:
    """A syllable as it is typed: without its tone, v for ü."""
    parts = unicodedata.normalize("NFD", pinyin.replace("ü", "v")).replace("u\u0308", "v")
    return "".join(part for part in parts if part.isascii())


def _lines(pairs: Iterator[tuple[str, str]], alone: bool = False) -> Iterator[str]:
    # Two spellings with the same Chinese characters are one word.
    groups: dict[str, dict[str, str]] = {}
    for reading, word in pairs:
        groups.setdefault(reading, {}).setdefault(regex.sub(r"\p{Hiragana}", "", word), word)
    for reading, words in sorted(groups.items()):
        if alone or len(words) > 1:
            yield f"{reading}\t{' '.join(list(words.values())[: None if alone else _OFFERED])}"


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def main(pypinyin: str, jieba: str, ipadic: str) -> None:
    """Write the two tables."""
    for code, lines in (("zh", chinese(Path(pypinyin), Path(jieba))), ("ja", japanese(Path(ipadic)))):
        write_text(FOLDER / f"homophones_{code}.tsv", "\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
