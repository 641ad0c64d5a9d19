"""How a language writes numbers, dates and quotation marks, as CLDR has it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from probes.languages import Language
from probes.scripts.writing import primary

_TABLE = Path(__file__).parent / "tables" / "notations.tsv"
# Where CLDR files a language under another code.
_ALIASES = {"nb": "no", "tl": "fil"}


@dataclass(frozen=True, slots=True)
class Notation:
    """Ten digits other than 0 to 9, decimal point, thousands separator, numeric date (d.M.y), quotation marks.

    What is empty is not known, or in the case of the digits not there.
    """

    digits: str = ""
    decimal: str = ""
    group: str = ""
    date: str = ""
    quotes: str = ""


@lru_cache(maxsize=1)
def _notations() -> dict[str, Notation]:
    rows = (line.split("\t") for line in _TABLE.read_text("utf-8").splitlines())
    return {code: Notation(*cells) for code, *cells in rows}


def notation(language: Language) -> Notation:
    """The notation of a language; all empty where CLDR says nothing."""
    code = primary(language)
    return _notations().get(_ALIASES.get(code, code), Notation())
