"""Templates and the words that fill them: whole inflected forms, chosen by the features of other words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from probes.languages import Language
from probes.scripts.casing import upper

Filler = Mapping[str, str]
"""Forms and features of one word by name; the first is the form a template gets that asks for none."""

Lexicon = Mapping[str, Sequence[Filler]]
"""The fillers of every word of one language."""

DEEPEST = 4

_SLOT = re.compile(
    r"\{(?P<word>[a-z_]+)(?P<number>\d*)(?:\.(?P<form>[a-z]+)|\[(?P<other>[a-z_]+)(?P<other_number>\d*)\.(?P<feature>[a-z]+)\])?"
    r"(?P<choices>(?:\|[^{}|]*)*)\}"
)
_SENTENCE_END = (".", "!", "?", "。", "！", "？", "।", "؟")
_FIRST_LETTER = re.compile(r"^[\"„“«»¿¡'‘(]*(\w)")


class TemplateError(ValueError):
    """A template that its language cannot fill; the message says what is missing."""


class MissingWord(TemplateError):
    """A word that the language does not have at all."""


class Exhausted(Exception):
    """No filler is left that is not in the text already."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in a template.

    `{thing}` is a filler's first form, `{thing.acc}` the form acc, `{good[thing.g]}` the form of good that the feature
    g of thing names, `{name.g|m forgot|f forgot}` the text that the feature g of name chooses. Digits tell fillers of
    one word apart (`{name1}`, `{name2}`); they are handed down to the slots of a filler that is a template itself.
    """

    word: str
    number: str
    form: str | None
    other: tuple[str, str, str] | None
    choices: Mapping[str, str]


@lru_cache(maxsize=8192)
def parse(template: str) -> tuple[str | Slot, ...]:
    """Stretches of text and the slots between them; TemplateError for a brace that belongs to no slot."""
    done, parts = 0, list[str | Slot]()
    for match in _SLOT.finditer(template):
        parts.append(_plain(template, done, match.start()))
        other = (match["other"], match["other_number"], match["feature"]) if match["other"] else None
        choices = {value: said for value, _, said in (one.partition(" ") for one in match["choices"].split("|")[1:])}
        parts.append(Slot(match["word"], match["number"], match["form"], other, choices))
        done = match.end()
    return (*parts, _plain(template, done, len(template)))


def _plain(template: str, start: int, end: int) -> str:
    if {"{", "}"} & set(template[start:end]):
        raise TemplateError(f"{template!r}: a brace belongs to no slot; a slot is {{word}}, {{word.form}}, ...")
    return template[start:end]


def check(template: str, lexicon: Lexicon, depth: int = 0) -> None:
    """TemplateError unless every slot can be filled by every filler; MissingWord if a word is not there."""
    if depth > DEEPEST:
        raise TemplateError(f"{template!r}: words within words go deeper than {DEEPEST}")
    for slot in parse(template):
        if isinstance(slot, str):
            continue
        for filler in _fillers(lexicon, slot.word):
            for said in _said(slot, filler, lexicon):
                check(said, lexicon, depth + 1)


def _fillers(lexicon: Lexicon, word: str) -> Sequence[Filler]:
    if not lexicon.get(word):
        raise MissingWord(f"there is no word {word!r}")
    return lexicon[word]


def _said(slot: Slot, filler: Filler, lexicon: Lexicon) -> list[str]:
    """Everything the slot may become with this filler."""
    if slot.other is None:
        return [_form(filler, slot, slot.form)]
    word, _, feature = slot.other
    return [_form(filler, slot, _form(other, slot, feature)) for other in _fillers(lexicon, word)]


def _form(filler: Filler, slot: Slot, form: str | None) -> str:
    name = form or next(iter(filler))
    if name not in filler:
        raise TemplateError(f"{next(iter(filler.values()))!r} has no form or feature {name!r}")
    if not slot.choices or slot.other:
        return filler[name]
    if filler[name] not in slot.choices:
        raise TemplateError(f"{{{slot.word}.{name}|...}} offers nothing for {filler[name]!r}")
    return slot.choices[filler[name]]


@dataclass
class Filling:
    """One choice of fillers, made when a slot first asks for one and kept for every other side of the case."""

    lexicon: Lexicon
    language: Language
    rng: np.random.Generator
    bound: dict[tuple[str, str], Filler] = field(default_factory=dict)

    def text(self, template: str) -> str:
        """The template filled, its first letter a capital where the script has capitals."""
        return self._capital(self._expand(template, ""))

    def varied(self, word: str) -> Filling:
        """The same fillers but for one word, every one of whose fillers is drawn again and differs."""
        kept = {key: filler for key, filler in self.bound.items() if key[0] != word}
        old = [filler for key, filler in self.bound.items() if key[0] == word]
        fresh = replace(self, bound=kept)
        for key in self.bound:
            if key[0] == word:
                fresh.bound[key] = fresh._draw(word, old)
        return fresh

    def _expand(self, template: str, number: str) -> str:
        return "".join(part if isinstance(part, str) else self._fill(part, number) for part in parse(template))

    def _fill(self, slot: Slot, number: str) -> str:
        filler = self._filler(slot.word, slot.number + number)
        form = slot.form
        if slot.other:
            word, own, feature = slot.other
            form = self._filler(word, own + number)[feature]
        said = self._expand(_form(filler, slot, form), slot.number + number)
        return self._capital(said) if said.endswith(_SENTENCE_END) else said

    def _filler(self, word: str, number: str) -> Filler:
        if (word, number) not in self.bound:
            self.bound[word, number] = self._draw(word, [])
        return self.bound[word, number]

    def _draw(self, word: str, but: Sequence[Filler]) -> Filler:
        """A filler that is not in the text yet."""
        taken = [*but, *(filler for (other, _), filler in self.bound.items() if other == word)]
        free = [filler for filler in self.lexicon[word] if filler not in taken]
        if not free:
            raise Exhausted(word)
        return free[int(self.rng.integers(len(free)))]

    def _capital(self, text: str) -> str:
        found = _FIRST_LETTER.match(text)
        if not found or self.language.casing == "none":
            return text
        at = found.start(1)
        return text[:at] + upper(text[at], self.language) + text[at + 1 :]
