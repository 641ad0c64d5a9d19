"""Keyboard layouts: what each key types, which keys touch, and how a text is typed. Those of `tables/keyboards.tsv`."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from probes.languages import Language
from probes.registry import unknown
from probes.scripts import hangul
from probes.text import script_of

_TABLE = Path(__file__).parent / "tables" / "keyboards.tsv"
# Where the first key of each row lies, in key widths from the key 1: digits, upper, home and lower row, staggered.
_ROW_STARTS = (-1.0, 0.5, 0.75, 0.25)
_REACH = 1.3
# The levels one modifier away: none, shift, AltGr, both.
_BESIDE_LEVEL = ((1, 2), (0, 3), (3, 0), (2, 1))

DEAD = "\u25cc"
"""What the cell of a dead key begins with; its mark follows."""

# The sixth order has none: et types it with the consonant alone, as it does the first.
ETHIOPIC_VOWELS = {1: "u", 2: "i", 3: "a", 4: "e", 6: "o"}
"""The vowel key that turns the first letter of an Ethiopic series into that of another order (0 to 6)."""
_SPACING = dict(
    zip("\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327\u0328", "`´^~¯˘˙¨˚˝ˇ¸˛", strict=True)
)

Place = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """A layout: at each place (x, y; in key widths) what a key types at its four levels, " " for nothing.

    A cell is a character, or a dead key: DEAD and the mark it puts on the letter that follows.
    """

    name: str
    title: str
    keys: dict[Place, tuple[str, ...]]

    @cached_property
    def typed(self) -> dict[str, tuple[Place, int]]:
        """Where each cell is typed, at the lowest level that has it."""
        by_level = (
            (cell, place, level)
            for level in range(4)
            for place, cells in self.keys.items()
            for cell in cells[level : level + 1]
        )
        found: dict[str, tuple[Place, int]] = {}
        for cell, place, level in by_level:
            if cell != " ":
                found.setdefault(cell, (place, level))
        return found

    def neighbours(self, cell: str) -> tuple[str, ...]:
        """What the keys that touch a cell's key type at the same level, nearest first."""
        place, level = self.typed[cell]
        near = sorted((math.dist(place, other), other) for other in self.keys if other != place)
        cells = (self.keys[other][level] for distance, other in near if distance < _REACH)
        return tuple(dict.fromkeys(other for other in cells if other not in (" ", cell)))

    def other_levels(self, cell: str) -> tuple[str, ...]:
        """What the same key types with shift or AltGr lost or gained."""
        place, level = self.typed[cell]
        cells = (self.keys[place][other] for other in _BESIDE_LEVEL[level])
        return tuple(dict.fromkeys(other for other in cells if other not in (" ", cell)))

    def level(self, cell: str) -> int:
        """0 for the bare key, 1 with shift, 2 with AltGr, 3 with both."""
        return self.typed[cell][1]

    def strokes(self, unit: str) -> tuple[str, ...] | None:
        """The cells that type a writing unit one after the other; None if a character of it is nowhere."""
        whole = unicodedata.normalize("NFC", unit)
        if whole in self.typed:
            return (whole,)
        if len(whole) == 1 and "가" <= whole <= "힣":
            cells: tuple[str, ...] = tuple("".join(hangul.parts(whole)))
        elif len(whole) == 1 and script_of(whole) == "Ethiopic":
            cells = (chr(ord(whole) & ~7), *ETHIOPIC_VOWELS.get(ord(whole) & 7, ""))
        else:
            cells = self._accented(unicodedata.normalize("NFD", unit)) or tuple(unit)
        return cells if all(cell in self.typed for cell in cells) else None

    def _accented(self, parts: str) -> tuple[str, ...] | None:
        """Dead keys, letter and marks of their own; as many of the marks as can be come with the letter's key."""
        for cut in range(len(parts) - 1, 0, -1):
            letter, marks = unicodedata.normalize("NFC", parts[:cut]), parts[cut:]
            if letter in self.typed and all(DEAD + mark in self.typed or mark in self.typed for mark in marks):
                dead = tuple(DEAD + mark for mark in marks if mark not in self.typed)
                return (*dead, letter, *(mark for mark in marks if mark in self.typed))
        return None


@lru_cache(maxsize=1)
def _rows() -> dict[str, list[str]]:
    return {row[0]: row for row in (line.split("\t") for line in _TABLE.read_text("utf-8").splitlines())}


def names() -> tuple[str, ...]:
    """Names of every layout: those of xkeyboard-config, with the variant in parentheses."""
    return tuple(_rows())


@lru_cache(maxsize=32)
def layout(name: str) -> Layout:
    """The layout of a name; UnknownName with near ones if there is none."""
    if name not in _rows():
        raise unknown("keyboard layout", name, _rows())
    _, title, *rows = _rows()[name]
    keys: dict[Place, list[str]] = {}
    for index, row in enumerate(rows):
        level, y = divmod(index, 4)
        for x, cell in enumerate(_cells(row)):
            keys.setdefault((_ROW_STARTS[y] + x, y), [" "] * 4)[level] = cell
    return Layout(name, title, {place: tuple(cells) for place, cells in keys.items()})


@lru_cache(maxsize=256)
def typed_letters(language: Language) -> str:
    """Small letters, in the language's scripts, that its layouts type without AltGr."""
    cells = (cell for name in language.keyboard for key in layout(name).keys.values() for cell in key[:2])
    small = dict.fromkeys(cell for cell in cells if cell != " " and cell == cell.lower())
    return "".join(cell for cell in small if script_of(cell) in language.scripts)


def _cells(row: str) -> Iterator[str]:
    characters = iter(row)
    return (cell + next(characters) if cell == DEAD else cell for cell in characters)


def written(cells: tuple[str, ...], alphabet: str | None = None) -> str:
    """What appears when cells are typed in turn: a dead key goes onto the next letter, or stands before it.

    With an alphabet, only letters of it are put together.
    """
    text, waiting = "", ""
    for cell in cells:
        if cell.startswith(DEAD):
            waiting += cell[1]
            continue
        letter = unicodedata.normalize("NFC", cell + waiting)
        apart = len(letter) > 1 or (waiting and alphabet is not None and letter.lower() not in alphabet)
        text += spacing(waiting) + cell if apart else letter
        waiting = ""
    return text + spacing(waiting)


def spacing(marks: str) -> str:
    """The marks as characters of their own, as a dead key without a letter leaves them; others are left out."""
    return "".join(_SPACING.get(mark, "") for mark in marks)


def retyped(word: str, units: tuple[str, ...], meant: Layout, active: Layout) -> str | None:
    """A word typed for one layout while another is active; None if a key of it is missing on either."""
    cells = []
    for unit in units:
        strokes = meant.strokes(unit)
        if strokes is None:
            return None
        for place, level in map(meant.typed.__getitem__, strokes):
            cell = active.keys.get(place, (" ",) * 4)[level]
            if cell == " ":
                return None
            cells.append(cell)
    found = written(tuple(cells))
    return found if found != word else None
