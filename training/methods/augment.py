"""Randomized smoothing by synonym augmentation: RS-DA of Huang et al. 2021 (arXiv 2104.08645), in two forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Literal

import numpy as np

from probes import languages, synonyms
from probes.languages import Language
from probes.synonyms import Synonyms
from probes.synonyms.sources import Source, source
from probes.text import Span, splice, words
from probes.types import Edit, Example, Item
from training.methods import registry
from training.methods.plain import Plain


@dataclass(frozen=True)
class Augment(Plain):
    """Words are drawn uniformly from themselves and their synonyms, one by one; labels stay.

    faithful: as the authors' code has it. n copies of every row replace it, drawn once; text is split on single
    spaces, words are looked up as written. fresh (ours): every epoch draws one new copy of each row and keeps a
    share of them clean, so a step costs what a plain one does; words are found under punctuation and capitals.
    Rows of a language without synonyms: the fresh form leaves them as they are; the faithful one, which would only
    repeat them, refuses them.
    """

    form: Literal["fresh", "faithful"] = "fresh"
    copies: int = 3
    """Copies of each row in the faithful form (the authors took 10 for PAWS-X, 3 for XNLI)."""
    clean: float = 0.5
    """Share of rows the fresh form leaves as they are."""
    synonyms: str = ""
    """A source, as `babelproof list synonyms` has them: mythes, wordnet:PATH, a JSON file for all languages, a folder
    of XX.json, one a language. Languages it lacks take the lists that ship; empty: all do."""

    def __post_init__(self) -> None:
        if self.copies < 1:
            raise ValueError(f"copies must be at least 1, not {self.copies}.")
        if not 0 <= self.clean <= 1:
            raise ValueError(f"clean is a share, 0 to 1, not {self.clean}.")

    @property
    def fresh(self) -> bool:
        """The fresh form draws anew for every epoch, the faithful one once."""
        return self.form == "fresh"

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the source, if one is named."""
        return self._named.paths if self._named else ()

    def prepare(self, examples: Sequence[Example], rng: np.random.Generator) -> list[Example]:
        """Rows: n per example (faithful) or one (fresh)."""
        if self.fresh:
            return [example if rng.random() < self.clean else self._copy(example, rng) for example in examples]
        return [copy for example in examples for copy in self._copies(example, rng)]

    def _copy(self, example: Example, rng: np.random.Generator) -> Example:
        language = languages.get(example.lang)

        def draw(text: str) -> str:
            choices = list(self._choices(text, language))
            places = rng.integers(np.array([len(others) + 1 for _, others in choices], dtype=int)).tolist()
            drawn = zip(choices, places, strict=True)
            return splice(text, [Edit(*span, others[place - 1]) for (span, others), place in drawn if place])

        return replace(example, item=_each(draw, example.item))

    def _choices(self, text: str, language: Language) -> Iterator[tuple[Span, Sequence[str]]]:
        """Words of a text that have synonyms, with them; words of spaced text are looked up once and remembered."""
        source = self._synonyms(language.code)
        if not language.spaces:
            for span, edits in groupby(synonyms.edits(text, language, source), lambda edit: (edit.start, edit.end)):
                yield span, [edit.new for edit in edits]
            return
        known = self._forms.setdefault(language.code, {})
        for span in words(text, language):
            if (word := text[slice(*span)]) not in known:
                known[word] = [edit.new for edit in synonyms.edits(word, language, source)]
            if known[word]:
                yield span, known[word]

    def _copies(self, example: Example, rng: np.random.Generator) -> list[Example]:
        code = languages.get(example.lang).code
        neighbours = self._synonyms(code)
        if not neighbours:
            known = {*((self._named and self._named.codes) or ()), *synonyms.codes()}
            raise ValueError(
                f"augment: no synonyms for {code!r}, only for {', '.join(sorted(known))}; put {code}.json into a "
                "folder and name it under synonyms, or take the fresh form, which leaves such rows as they are."
            )

        def draw(text: str) -> str:
            choices = (list(dict.fromkeys([word, *neighbours.get(word, ())])) for word in text.split(" "))
            return " ".join(others[rng.integers(len(others))] for others in choices)

        return [
            replace(example, id=f"{example.id}#{number}", item=_each(draw, example.item))
            for number in range(self.copies)
        ]

    def _synonyms(self, code: str) -> Synonyms:
        named = self._named
        return named.of(code) if named and (named.codes is None or code in named.codes) else synonyms.of(code)

    @cached_property
    def _named(self) -> Source | None:
        return source(self.synonyms) if self.synonyms else None

    @cached_property
    def _forms(self) -> dict[str, dict[str, list[str]]]:
        """By language, the words met so far, as written, with what they may give way to."""
        return {}


def _each(draw: Callable[[str], str], item: Item) -> Item:
    return Item(draw(item.text), None if item.pair is None else draw(item.pair))


registry.add("augment", Augment)
