"""Letters that cannot be told from each other: the confusables of Unicode Technical Standard 39, from `tables/`."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from probes.text import script_of

_TABLE = Path(__file__).parent / "tables" / "homoglyphs.txt"


@lru_cache(maxsize=1)
def _classes() -> dict[str, str]:
    """Each letter with all that look like it, itself among them."""
    return {letter: alike for alike in _TABLE.read_text("utf-8").splitlines() for letter in alike}


@lru_cache(maxsize=1)
def scripts() -> frozenset[str]:
    """Scripts with a letter that has a look-alike."""
    return frozenset(map(script_of, _classes()))


def twins(letter: str) -> tuple[str, ...]:
    """The other letters, each a single code point, that look like this one."""
    return tuple(other for other in _classes().get(letter, "") if other != letter)
