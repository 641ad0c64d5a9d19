"""What is known of each language: one file a language, data only, found by its code."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Casing = Literal["none", "default", "turkish"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """Facts about writing in one language; what is left empty is not known, and what needs it does not apply.

    keyboard names the layouts people type on (`probes.scripts.keyboards`), the commonest for each script.
    marked holds the letters people really type without their mark, marks the combining signs they leave out. sample is
    a sentence or two for the tests to try every perturbation on. without names what there is none of in the language:
    "keyboard", "marks". sources says where the facts come from.
    """

    code: str
    name: str
    scripts: tuple[str, ...] = ()
    keyboard: tuple[str, ...] = ()
    marked: str = ""
    marks: str = ""
    punctuation: str = ".,!?;:"
    spaces: bool = True
    casing: Casing = "none"
    sample: str = ""
    without: tuple[str, ...] = ()
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


@lru_cache(maxsize=1024)
def covers(wanted: str, code: str) -> bool:
    """Whether a code is of the language that is wanted: zh is zh-Hant too, and zho and ZH; zh-Hant only itself."""
    (primary, *more), (other, *rest) = (one.replace("_", "-").lower().split("-") for one in (wanted, code))
    return get(primary).code == get(other).code and (not more or more == rest)


def named(wanted: str, codes: Sequence[str]) -> str | None:
    """The language that is wanted by its code among these; by another code of it where just one is of it."""
    found = [wanted] if wanted in codes else [code for code in codes if covers(wanted, code)]
    return found[0] if len(found) == 1 else None


def missing(language: Language) -> tuple[str, ...]:
    """What a language's file still has to say, or to list under `without`; empty for a complete one."""
    given = {
        "name": bool(language.name),
        "scripts": bool(language.scripts),
        "punctuation": bool(language.punctuation),
        "keyboard": bool(language.keyboard),
        "marks": bool(language.marked or language.marks),
    }
    sourced = {source.partition(":")[0] for source in language.sources}
    unsourced = (
        f"a source for {kind}" for kind in ("keyboard", "marks", "punctuation") if given[kind] and kind not in sourced
    )
    return (*(kind for kind, there in given.items() if not there and kind not in language.without), *unsourced)


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
    "zsm": "ms",
    "als": "sq",
    "lvs": "lv",
    "ekk": "et",
}
_THREE_LETTERS = """
afr:af amh:am ara:ar aze:az bel:be bul:bg ben:bn cat:ca ces:cs dan:da deu:de ell:el eng:en spa:es est:et eus:eu fas:fa
fin:fi fra:fr glg:gl guj:gu heb:he hin:hi hrv:hr hat:ht hun:hu hye:hy ind:id isl:is ita:it jpn:ja jav:jv kat:ka kaz:kk
khm:km kan:kn kor:ko lao:lo lit:lt lav:lv mkd:mk mal:ml mon:mn mar:mr msa:ms mya:my nob:nb nep:ne nld:nl pan:pa pol:pl
por:pt que:qu ron:ro rus:ru sin:si slk:sk slv:sl sqi:sq srp:sr swe:sv swa:sw tam:ta tel:te tha:th tgl:tl tur:tr ukr:uk
urd:ur vie:vi wol:wo yor:yo zho:zh
"""
_ALIASES |= dict(pair.split(":") for pair in _THREE_LETTERS.split())
