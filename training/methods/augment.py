"""Randomized smoothing by synonym augmentation: RS-DA of Huang et al. 2021 (arXiv 2104.08645), in two forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from probes import languages, synonyms
from probes.synonyms import Synonyms
from probes.text import splice
from probes.types import Edit, Example, Item
from training.methods import registry
from training.methods.plain import Plain


@dataclass(frozen=True)
class Augment(Plain):
    """Words are drawn uniformly from themselves and their synonyms, one by one; labels stay.

    faithful: as the authors' code has it. n copies of every row replace it, drawn once; text is split on single
    spaces, words are looked up as written. fresh (ours): every epoch draws one new copy of each row and keeps a
    share of them clean, so a step costs what a plain one does; words are found under punctuation and capitals.
    """

    form: Literal["fresh", "faithful"] = "fresh"
    copies: int = 3
    """Copies of each row in the faithful form (the authors took 10 for PAWS-X, 3 for XNLI)."""
    clean: float = 0.5
    """Share of rows the fresh form leaves as they are."""
    synonyms: str = ""
    """A JSON file {word: [synonym, ...]}, .gz allowed; empty: the lists that ship."""

    def __post_init__(self) -> None:
        if self.copies < 1:
            raise ValueError(f"copies must be at least 1, not {self.copies}.")
        if not 0 <= self.clean <= 1:
            raise ValueError(f"clean is a share, 0 to 1, not {self.clean}.")

    @property
    def fresh(self) -> bool:
        """The fresh form draws anew for every epoch, the faithful one once."""
        return self.form == "fresh"

    def prepare(self, examples: Sequence[Example], rng: np.random.Generator) -> list[Example]:
        """Rows: n per example (faithful) or one (fresh)."""
        if self.fresh:
            return [example if rng.random() < self.clean else self._copy(example, rng) for example in examples]
        return [copy for example in examples for copy in self._copies(example, rng)]

    @property
    def files(self) -> tuple[Path, ...]:
        """The user's synonyms, if any."""
        return (Path(self.synonyms),) if self.synonyms else ()

    def _copy(self, example: Example, rng: np.random.Generator) -> Example:
        language = languages.get(example.lang)
        source = self._named or synonyms.of(language.code)

        def draw(text: str) -> str:
            choices: dict[tuple[int, int], list[Edit]] = {}
            for edit in synonyms.edits(text, language, source):
                choices.setdefault((edit.start, edit.end), []).append(edit)
            drawn = [(edits, int(rng.integers(len(edits) + 1))) for edits in choices.values()]
            return splice(text, [edits[place - 1] for edits, place in drawn if place])

        return replace(example, item=_each(draw, example.item))

    def _copies(self, example: Example, rng: np.random.Generator) -> list[Example]:
        neighbours = self._named or synonyms.of(languages.get(example.lang).code)

        def draw(text: str) -> str:
            words = [list(dict.fromkeys([word, *neighbours.get(word, ())])) for word in text.split(" ")]
            return " ".join(choices[rng.integers(len(choices))] for choices in words)

        return [
            replace(example, id=f"{example.id}#{number}", item=_each(draw, example.item))
            for number in range(self.copies)
        ]

    @cached_property
    def _named(self) -> Synonyms | None:
        return synonyms.load(Path(self.synonyms)) if self.synonyms else None


def _each(draw: Callable[[str], str], item: Item) -> Item:
    return Item(draw(item.text), None if item.pair is None else draw(item.pair))


registry.add("augment", Augment)
