"""Perturbations: small changes people and tools make to text, each a generator of every edit it could make."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from probes import synonyms
from probes.languages import Language
from probes.registry import Registry, UnknownName, load_object, unknown
from probes.scripts import homoglyphs, script_variants
from probes.scripts.notation import notation
from probes.scripts.writing import ALPHABETS, SEPARATE, primary
from probes.text import intact, scripts
from probes.types import Edit, Perturbation

Unit = Literal["grapheme", "word"]

NEEDS: dict[str, Callable[[Language], bool]] = {
    "a keyboard layout": lambda language: bool(language.keyboard),
    "letter case": lambda language: language.casing != "none",
    "marks people leave out": lambda language: bool(language.marked or language.marks),
    "letters with look-alikes": lambda language: _writes_in(homoglyphs.scripts(), language),
    "letters that keep their shape": lambda language: _writes_in(SEPARATE, language),
    "an alphabet that takes marks": lambda language: _writes_in(ALPHABETS, language),
    "writing without spaces": lambda language: not language.spaces,
    "digits of its own": lambda language: bool(notation(language).digits),
    "a known thousands separator": lambda language: bool(notation(language).group),
    "an order of dates of its own": lambda language: notation(language).date not in ("", "y-MM-dd"),
    "a second script": lambda language: primary(language) in script_variants.codes(),
    "synonyms": lambda language: language.code in synonyms.codes(),
}
"""What a perturbation may need of a language, and how to see whether the language has it."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A perturbation by name: calling it gives its edits, less those that would harm a grapheme or change nothing.

    codes: the languages it has data for, where not all; files: those it reads, whose digests a report says.
    """

    name: str
    summary: str
    unit: Unit
    needs: str | None
    edits: Perturbation
    codes: Collection[str] | None = None
    files: tuple[Path, ...] = ()

    def __call__(self, text: str, language: Language) -> Iterator[Edit]:
        return (
            edit
            for edit in (self.edits(text, language) if self.applies(language) else ())
            if edit.new != text[edit.start : edit.end] and intact(text, edit)
        )

    def applies(self, language: Language) -> bool:
        """Whether the language has what the perturbation needs, and it data for the language."""
        there = self.codes is None or language.code in self.codes
        return there and (self.needs is None or NEEDS[self.needs](language))


_REGISTRY: Registry[Probe] = Registry("perturbation", __name__)
_FAMILIES: dict[str, Callable[[str], Probe]] = {}


def perturbation(unit: Unit, needs: str | None = None) -> Callable[[Perturbation], Perturbation]:
    """Register a generator of edits under its own name; its docstring is what `describe` answers."""

    def register(edits: Perturbation) -> Perturbation:
        name = edits.__name__
        _REGISTRY.add(name, Probe(name, _summary(edits), unit, needs, edits))
        return edits

    return register


def family(name: str) -> Callable[[Callable[[str], Probe]], Callable[[str], Probe]]:
    """Register a maker of perturbations that are called "<name>:<argument>"."""
    return partial(_FAMILIES.setdefault, name)


def names() -> tuple[str, ...]:
    """Names of the perturbations of babelproof itself, sorted."""
    return _REGISTRY.names()


def get(name: str) -> Probe:
    """The perturbation of a name: one of names(), of a family ("nlpaug:<augmenter>", ...), or "<module>:<attribute>".

    Raises UnknownName, with what may have been meant.
    """
    head, colon, argument = name.partition(":")
    known = names()
    if not colon:
        return _REGISTRY.get(name)
    if head in _FAMILIES:
        try:
            return _FAMILIES[head](argument)
        except OSError as error:
            raise UnknownName(f"{name}: {error.filename or argument} cannot be read: {error.strerror}") from error
    if head in known:
        raise unknown("perturbation", name, known)
    foreign: Perturbation = load_object(name)
    return Probe(name, _summary(foreign), getattr(foreign, "unit", "grapheme"), None, foreign)


def describe(name: str) -> str:
    """What a perturbation does, in one line."""
    return get(name).summary


def unit(name: str) -> Unit:
    """What the strength of a perturbation is a share of."""
    return get(name).unit


def applicable(name: str, language: Language) -> bool:
    """Whether a perturbation can do anything to texts of a language."""
    return get(name).applies(language)


def same_scripts(text: str, edit: Edit) -> bool:
    """Whether an edit brings in no script that the text it replaces, or else the whole text, does not have."""
    return scripts(edit.new).keys() <= scripts(text[edit.start : edit.end] or text).keys()


def _writes_in(scripts: Collection[str], language: Language) -> bool:
    """Whether one of the scripts is among the language's, or the language's are not known."""
    return not language.scripts or any(script in scripts for script in language.scripts)


def _summary(thing: object) -> str:
    return (thing.__doc__ or "").strip().partition("\n")[0]
