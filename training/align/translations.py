"""Parallel text out of what software is translated with: gettext catalogues, and Unicode CLDR's names and keywords.

Linux distributions carry both, in more languages than there is sentence-aligned text in: LibreOffice's catalogues have
up to 19,000 strings a language, CLDR (Unicode TR 35) names emoji, places, languages and units in over 100.
"""

from __future__ import annotations

import csv
import gettext
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree

from probes.files import replacing
from training.align.pairs import ENGLISH, PairsError

LOCALES = {"fil": "tl", "no": "nb", "pa_IN": "pa", "pt_BR": "pt", "zh_CN": "zh"} | dict.fromkeys(
    ("zh_TW", "zh_Hant"), "zh-Hant"
)
"""Names of locales that are not the code of their language here. Others with a region or a script are passed over."""
CLDR_PARTS = ("annotations", "subdivisions", "main")
CLDR_LEAVES = frozenset({
    "annotation", "characterLabel", "day", "displayName", "exemplarCity", "language", "month", "script", "subdivision",
    "territory",
})  # fmt: skip
INHERITED = "↑↑↑"
_ACCELERATOR = re.compile(r"\s*\([_~&]\w\)|(?<!\w)[_~&](?=\w)|(?<=\w)[_~](?=\w)")
_MARKUP = re.compile(r"<[^<>]*>")

Rows = dict[str, dict[str, str]]
"""What is said under a key, by language."""


def language_of(locale: str) -> str | None:
    """The code of a locale's language; None for variants of one that has a locale of its own."""
    return LOCALES.get(locale, None if re.search(r"[_@]", locale) or locale == "root" else locale)


def gettext_rows(folder: Path, min_words: int = 3) -> Rows:
    """Every message of at least min_words English words of the catalogues below folder/LOCALE/LC_MESSAGES.

    Accelerators (_ and ~ before a letter) and mark-up are taken out.
    """
    rows: Rows = defaultdict(dict)
    for file in sorted(folder.glob("*/LC_MESSAGES/*.mo")):
        lang = language_of(file.parent.parent.name)
        if lang is None or lang == ENGLISH:
            continue
        for message, translation in _catalogue(file):
            english = _plain(message)
            if len(english.split()) >= min_words and translation != message:
                rows[english] |= {ENGLISH: english, lang: _plain(translation)}
    return rows


def _catalogue(file: Path) -> Iterator[tuple[str, str]]:
    try:
        with file.open("rb") as stream:
            messages = vars(gettext.GNUTranslations(stream))["_catalog"]
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise PairsError(f"{file}: not a gettext catalogue ({error})") from error
    for key, translation in messages.items():
        if isinstance(key, tuple) and key[1] > 0:
            continue  # a plural under its English singular
        message = (key[0] if isinstance(key, tuple) else key).rpartition("\4")[2]
        if message and translation:
            yield message, translation


def _plain(text: str) -> str:
    return " ".join(_MARKUP.sub(" ", _ACCELERATOR.sub("", text)).split())


def cldr_rows(folder: Path) -> Rows:
    """Names and keywords of CLDR's `common` folder: emoji, places, languages, scripts, currencies, units, days."""
    rows: Rows = defaultdict(dict)
    for part in CLDR_PARTS:
        for file in sorted((folder / part).glob("*.xml")):
            lang = language_of(file.stem)
            if lang is not None:
                for key, text in _leaves(_root(file), part):
                    rows[key].setdefault(lang, text)
    return rows


def _root(file: Path) -> ElementTree.Element:
    try:
        return ElementTree.parse(file).getroot()
    except ElementTree.ParseError as error:
        raise PairsError(f"{file}: not XML ({error})") from error


def _leaves(element: ElementTree.Element, path: str) -> Iterator[tuple[str, str]]:
    for child in element:
        key = "/".join([path, child.tag, *(f"{name}={value}" for name, value in sorted(child.attrib.items()))])
        text = (child.text or "").strip()
        if child.tag in CLDR_LEAVES and text and text != INHERITED and "draft" not in child.attrib:
            yield key, text.replace(" | ", ", ")
        else:
            yield from _leaves(child, key)


READERS = {"gettext": gettext_rows, "cldr": cldr_rows}


def write_translations(kind: str, folder: Path, languages: Iterable[str], out: Path) -> dict[str, int]:
    """Write a TSV that align reads, English and each language a column; rows by language."""
    if kind not in READERS:
        raise PairsError(f"no translations of kind {kind}; there are {', '.join(READERS)}")
    rows = {key: row for key, row in READERS[kind](folder).items() if row.get(ENGLISH)}
    found = sorted({lang for row in rows.values() for lang in row} - {ENGLISH})
    chosen = sorted(languages) or found
    if not rows or set(chosen) - set(found):
        raise PairsError(f"{folder}: no {kind} translations for {', '.join(sorted(set(chosen) - set(found))) or 'any'}")
    with replacing(out) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None, lineterminator="\n")
        writer.writerow([ENGLISH, *chosen])
        for key in sorted(rows):
            row = [" ".join(rows[key].get(lang, "").split()) for lang in (ENGLISH, *chosen)]
            if any(row[1:]):
                writer.writerow(row)
    return {lang: sum(lang in row for row in rows.values()) for lang in chosen}
