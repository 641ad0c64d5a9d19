"""Write the tables of `probes/scripts/tables/` from files of the Unicode consortium.

`python -m probes.scripts.unicode_tables CONFUSABLES UNIHAN_VARIANTS CLDR` takes confusables.txt (UTS #39),
Unihan_Variants.txt and the folder common/ of CLDR. Debian has them in the source of icu and in the packages
unicode-data and unicode-cldr-core.
"""

from __future__ import annotations

import re
import sys
import unicodedata
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from pathlib import Path

import regex

from probes.files import write_text
from probes.text import script_of

FOLDER = Path(__file__).parent / "tables"

# A letter that stands by itself, in the plane fonts cover, and does not show what it is: full width and the forms of
# Arabic letters that do not join do.
_UNNOTICED = regex.compile(
    r"(?:[\p{L}--\p{Lm}]|\p{Han})(?<=\p{GCB=Other})(?<!\p{EA=F})(?<=[\u0000-\uFFFF--\uFB50-\uFDFF--\uFE70-\uFEFF])",
    regex.V1,
)
_SPACES = "\u00a0\u202f\u2009"


def confusables(lines: Iterable[str]) -> Iterator[str]:
    """Letters one cannot be told from another, a class a line, those written right to left apart from the others."""
    classes: dict[str, set[str]] = {}
    for line in lines:
        fields = line.partition("#")[0].split(";")
        if len(fields) == 3:
            letter, model = ("".join(chr(int(code, 16)) for code in field.split()) for field in fields[:2])
            classes.setdefault(model, {model}).add(letter)
    for members in classes.values():
        letters = [letter for letter in sorted(members) if _unnoticed(letter)]
        for leftward in (False, True):
            alike = [letter for letter in letters if (unicodedata.bidirectional(letter) in ("R", "AL")) is leftward]
            if len(alike) > 1:
                yield "".join(alike)


def _unnoticed(letter: str) -> bool:
    return bool(_UNNOTICED.fullmatch(letter)) and script_of(letter) not in ("Common", "Inherited", "Unknown")


def han_variants(lines: Iterable[str]) -> Iterator[str]:
    """Traditional and simplified character, a pair a line; a character that is its own counterpart stands there too."""
    pairs: set[tuple[str, str]] = set()
    for line in lines:
        character, kind, *others = line.partition("#")[0].split() or ("", "")
        for other in others if kind in ("kSimplifiedVariant", "kTraditionalVariant") else ():
            one, two = (chr(int(code.removeprefix("U+").partition("<")[0], 16)) for code in (character, other))
            if "\u4e00" <= min(one, two) <= max(one, two) <= "\u9fff":
                pairs.add((one, two) if kind == "kSimplifiedVariant" else (two, one))
    changing = {character for pair in pairs if pair[0] != pair[1] for character in pair}
    yield from sorted("".join(pair) for pair in pairs if changing.intersection(pair))


def notations(cldr: Path) -> Iterator[str]:
    """Code, digits of its own, decimal point, thousands separator, numeric date, quotation marks; tabs between."""
    systems = {
        system.get("id"): system.get("digits", "")
        for system in ElementTree.parse(cldr / "supplemental" / "numberingSystems.xml").iter("numberingSystem")
    }
    for path in sorted((cldr / "main").glob("*.xml")):
        if not re.fullmatch(r"[a-z]{2,3}", path.stem):
            continue
        locale = ElementTree.parse(path)
        digits = systems.get(_first(locale, "numbers/otherNumberingSystems/native"), "")
        row = (
            path.stem,
            digits if digits.isdecimal() and not digits.isascii() else "",
            _first(locale, "numbers/symbols[@numberSystem='latn']/decimal"),
            _first(locale, "numbers/symbols[@numberSystem='latn']/group"),
            _date(_first(locale, "dates/calendars/calendar[@type='gregorian']//dateFormatItem[@id='yMd']")),
            _first(locale, "delimiters/quotationStart") + _first(locale, "delimiters/quotationEnd"),
        )
        if any(row[1:]):
            yield "\t".join(" " if cell in tuple(_SPACES) else cell for cell in row)


def _first(locale: ElementTree.ElementTree[ElementTree.Element], path: str) -> str:
    found = locale.find(path)
    text = "" if found is None else found.text or ""
    return "" if "↑" in text else text


def _date(pattern: str) -> str:
    """A pattern without marks of direction and words, or nothing if it is not of numbers alone."""
    plain = re.sub(r"\s*'[^']*'\.?|[\u200e\u200f]", "", pattern)
    return plain if set("yMd") <= set(plain) <= set("yMd./- ") else ""


def main(confusables_path: str, variants_path: str, cldr: str) -> None:
    """Write the three tables."""
    rows = {
        "homoglyphs.txt": confusables(Path(confusables_path).read_text("utf-8-sig").splitlines()),
        "han_variants.txt": han_variants(Path(variants_path).read_text("utf-8").splitlines()),
        "notations.tsv": notations(Path(cldr)),
    }
    for name, lines in rows.items():
        write_text(FOLDER / name, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
