"""What is known of each language: one file a language, data only, found by its code."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Casing = Literal["none", "default", "turkish"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """Facts about writing in one language; what is left empty is not known, and what needs it does not apply.

    keyboard and shift are the key rows from the digits down, first key of each row first, " " for a key that types
    no letter. marked holds the letters people really type without their mark, marks the combining signs they leave
    out. sources says where the facts come from.
    """

    code: str
    name: str
    scripts: tuple[str, ...] = ()
    keyboard: tuple[str, ...] = ()
    shift: tuple[str, ...] = ()
    marked: str = ""
    marks: str = ""
    punctuation: str = ".,!?;:"
    spaces: bool = True
    casing: Casing = "none"
    sources: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def codes() -> tuple[str, ...]:
    """Codes of every language there is a file for, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


@lru_cache(maxsize=256)
def get(code: str) -> Language:
    """The language of a code, or of its primary subtag (zh-Hant gives zh); without a file, one nothing is known of."""
    primary = _ALIASES.get(found := code.replace("_", "-").split("-")[0].lower(), found)
    if primary not in codes():
        return Language(code=code, name=code, casing="default")
    language: Language = importlib.import_module(f"{__name__}.{primary}").LANGUAGE
    return language


# Other codes of languages we have.
_ALIASES = {
    "no": "nb",
    "iw": "he",
    "in": "id",
    "fil": "tl",
    "cmn": "zh",
    "yue": "zh",
    "arb": "ar",
    "pes": "fa",
    "swh": "sw",
}
