"""Code-mixed training data: CAT of Tan and Joty 2021 (arXiv 2103.09593), with words out of bilingual lexicons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress
from pathlib import Path

import numpy as np

from probes import languages as known
from probes.languages import Language
from probes.scripts.casing import lower, match_case
from probes.synonyms import by_language
from probes.text import Span, splice, words
from probes.types import Edit, Example, Item
from training.lexicon import LexiconError, Translation, load
from training.methods import registry
from training.methods.plain import Plain

ENGLISH = known.get("en")
_CLOSED = """
a an the this that these those there here no not never none nor neither either both each every any some all
i me my mine myself you your yours yourself he him his himself she her hers herself it its itself we us our ours
ourselves they them their theirs themselves one who whom whose which what where when why how
am is are was were be been being do does did done doing have has had having will would shall should can could may
might must ought cannot and or but if because as until while although though unless since than whether so yet
of at by for with about against between into through during before after above below to from up down in out on off
over under onto upon within without toward towards across along among around behind beside besides beyond except
near per via again further then once only own same too very just also such more most less least few much many
"""
FUNCTION_WORDS = frozenset(_CLOSED.split())
"""English words of the closed classes."""

_Source = tuple[Language, Mapping[str, tuple[Translation, ...]]]
"""A language and its translations of English words."""


@dataclass(frozen=True)
class CodeMix(Plain):
    """Words of English sentences give way to translations from lexicons, drawn anew for every epoch; labels stay.

    As in the authors' code, each sentence of a pair is drawn apart, gets its own languages, and its words are drawn one
    by one. The authors take phrases from a translation of the training set, once, before training; words out of
    lexicons and a new draw every epoch are ours. So is it that function words stay: their alignments are the noisiest,
    people who mix take them from the language they mix into (Myers-Scotton 1993), and negation and quantifiers, on
    which labels hang, are among them. Rows that are not English stay as they are.
    """

    lexicons: str = "lexicons"
    """The folder that `babelproof-train lexicon` wrote."""
    languages: tuple[str, ...] = ()
    """Languages to mix in; empty: all that have a lexicon."""
    per_sentence: int = 2
    """Languages a sentence is mixed with, at most."""
    sentences: float = 0.33
    """Share of the sentences that are touched."""
    words: float = 0.15
    """Share of a touched sentence's words that are drawn; a drawn word without a translation stays."""

    def __post_init__(self) -> None:
        if self.per_sentence < 1:
            raise ValueError(f"per_sentence must be at least 1, not {self.per_sentence}.")
        for key in ("sentences", "words"):
            if not 0 <= getattr(self, key) <= 1:
                raise ValueError(f"{key} is a share, 0 to 1, not {getattr(self, key)}.")

    @property
    def fresh(self) -> bool:
        """Every epoch is mixed anew."""
        return True

    @property
    def files(self) -> tuple[Path, ...]:
        """The lexicons, one a language."""
        return tuple(self._paths.values())

    def prepare(self, examples: Sequence[Example], rng: np.random.Generator) -> list[Example]:
        """As many rows as there are, the English ones mixed; ValueError where none is English."""
        english = [known.get(row.lang).code == ENGLISH.code for row in examples]
        if examples and not any(english):
            raise ValueError("code-mix: none of the training rows is English, and only those can be mixed.")
        return [
            replace(row, item=self._mixed(row.item, rng)) if mixes else row
            for row, mixes in zip(examples, english, strict=True)
        ]

    def _mixed(self, item: Item, rng: np.random.Generator) -> Item:
        return Item(self._mix(item.text, rng), None if item.pair is None else self._mix(item.pair, rng))

    def _mix(self, text: str, rng: np.random.Generator) -> str:
        sources = self._sources
        if rng.random() >= self.sentences:
            return text
        number = min(self.per_sentence, len(sources))
        chosen = [sources[place] for place in rng.choice(len(sources), number, replace=False)]
        spans = words(text, ENGLISH)
        drawn = compress(spans, rng.random(len(spans)) < self.words)
        return splice(text, list(_edits(text, drawn, chosen, rng)))

    @cached_property
    def _paths(self) -> Mapping[str, Path]:
        folder = Path(self.lexicons)
        found = by_language(folder)
        wanted = self.languages or tuple(found)
        if missing := [lang for lang in wanted if lang not in found] or ([] if wanted else ["any language"]):
            there = f"it has {', '.join(found)}" if found else "it has none"
            which = f" --languages {','.join(self.languages)}" if self.languages else ""
            raise LexiconError(
                f"code-mix: no lexicon for {', '.join(missing)} in the folder {folder} ({there}); "
                f"make it from parallel text: babelproof-train lexicon PAIRS --out {folder}{which}"
            )
        return {lang: found[lang] for lang in wanted}

    @cached_property
    def _sources(self) -> Sequence[_Source]:
        return [
            (known.get(lang), {word: found for word, found in load(path).words.items() if not _is_function_word(word)})
            for lang, path in self._paths.items()
        ]


def _is_function_word(word: str) -> bool:
    """Whether an English word is one, or a contraction of one."""
    straight = word.replace("’", "'")
    return straight.endswith("n't") or straight.partition("'")[0] in FUNCTION_WORDS


def _edits(text: str, spans: Iterable[Span], chosen: Sequence[_Source], rng: np.random.Generator) -> Iterator[Edit]:
    """A translation for each span that has one, better ones likelier; where none are written, no space between two."""
    before: tuple[int, Language | None] = (-1, None)
    for start, end in spans:
        word = lower(text[start:end], ENGLISH)
        found = [(language, translations[word]) for language, translations in chosen if word in translations]
        if not found:
            continue
        language, translations = found[rng.integers(len(found))]
        scores = np.array([one.score for one in translations])
        new = translations[rng.choice(len(scores), p=scores / scores.sum())].text
        touching = not language.spaces and before[1] is language and text[before[0] : start] == " "
        yield Edit(before[0] if touching else start, end, match_case(text[start:end], new, language))
        before = end, language


registry.add("code-mix", CodeMix)
