"""Word alignment of sentence pairs by IBM model 1, with arrays and no compiled code.

Model 1 (Brown et al. 1993) explains each word of one side by a word of the other, or by none. Two models, one for each
direction, are trained to agree: their posteriors are multiplied in every step of EM (Liang, Taskar and Klein 2006,
"Alignment by Agreement"), which keeps a rare word from explaining whatever stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ITERATIONS = 5
TICKS = 2 * ITERATIONS
"""How often `align` says that it has come further."""
_SLANT = 1e-3
"""How much less likely the farthest places of two sentences are partners: just enough to tell equal words apart."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Links:
    """For the own words of all sentences in a row: the place of each one's partner in the English sentence, or -1.

    mutual: the partner was chosen by both models, each other's best. The other partners are the words' choice alone, so
    several words may share one, as the parts of a word do where a script does not separate words.
    """

    partner: Ints
    mutual: Bools


@dataclass(slots=True)
class _Model:
    """Model 1 in one direction; a cell is a word beside a word of the other side of its sentence pair."""

    words: Ints
    """Type of every word explained."""
    at: Ints
    """Which word each cell explains."""
    pair: Ints
    """Pair of types in each cell."""
    given: Ints
    """The type that explains, of every pair of types."""
    prior: Floats
    chances: Floats
    """Chance of each pair's explained type, given the other."""
    nothing: Floats
    """Chance of each explained type to come from nothing."""

    def posterior(self) -> tuple[Floats, Floats]:
        """Chance of every cell to explain its word, and for every word that nothing does."""
        weights = self.chances[self.pair] * self.prior
        nothing = self.nothing[self.words]
        total = np.bincount(self.at, weights, len(self.words)) + nothing
        return weights / total[self.at], nothing / total

    def maximise(self, counts: Floats, nothing: Floats) -> None:
        """Chances from the expected counts of pairs, and of words that come from nothing."""
        totals = np.maximum(np.bincount(self.given, counts), np.finfo(float).tiny)
        self.chances = counts / totals[self.given]
        self.nothing = np.bincount(self.words, nothing, len(self.nothing)) / nothing.sum()

    def best(self, links: Floats) -> Bools:
        """Cells that are the strongest link of their word, where they explain it better than nothing does."""
        strongest = np.zeros(len(self.words))
        np.maximum.at(strongest, self.at, links)
        posterior, nothing = self.posterior()
        return (links == strongest[self.at]) & (posterior > nothing[self.at])


def align(english: Sequence[Sequence[int]], own: Sequence[Sequence[int]], tick: Callable[[], None]) -> Links:
    """Link own words to English ones, given the sentences as numbers of word types, none of them empty."""
    first = np.cumsum([0, *map(len, english)])
    english_words, own_words = _flat(english), _flat(own)
    own_at, english_at, prior = _cells(*(np.array([len(row) for row in rows]) for rows in (english, own)))
    width = int(english_words.max()) + 1
    pairs, pair = np.unique(own_words[own_at] * width + english_words[english_at], return_inverse=True)
    own_type, english_type = np.divmod(pairs, width)

    def model(words: Ints, at: Ints, given: Ints) -> _Model:
        size = int(words.max()) + 1
        return _Model(words, at, pair, given, prior, np.full(len(given), 1 / size), np.full(size, 1 / size))

    forward, backward, alone = (
        model(own_words, own_at, english_type),
        model(english_words, english_at, own_type),
        model(own_words, own_at, english_type),
    )
    agreed = _train([forward, backward], tick)
    chosen, mutual = alone.best(_train([alone], tick)), forward.best(agreed) & backward.best(agreed)
    partner, is_mutual = np.full(len(own_words), -1), np.zeros(len(own_words), dtype=bool)
    begins = np.repeat(first[:-1], [len(row) for row in own])
    for cells in (chosen, mutual):
        partner[own_at[cells]] = english_at[cells] - begins[own_at[cells]]
    is_mutual[own_at[mutual]] = True
    return Links(partner, is_mutual)


def _train(models: Sequence[_Model], tick: Callable[[], None]) -> Floats:
    """EM of models that have to agree on every link; returns the chance of each cell to be one."""
    for _ in range(ITERATIONS):
        posteriors = [model.posterior() for model in models]
        agreed = np.prod([cells for cells, _ in posteriors], axis=0)
        counts = np.asarray(np.bincount(models[0].pair, agreed), dtype=float)
        for model, (_, nothing) in zip(models, posteriors, strict=True):
            model.maximise(counts, nothing)
        tick()
    return np.asarray(np.prod([model.posterior()[0] for model in models], axis=0))


def _flat(rows: Sequence[Sequence[int]]) -> Ints:
    return np.fromiter((number for row in rows for number in row), dtype=np.int64)


def _cells(wide: Ints, high: Ints) -> tuple[Ints, Ints, Floats]:
    """Own word, English word and prior of every cell; sentence pair k has high[k] own and wide[k] English words."""
    sentence = np.repeat(np.arange(len(high)), high)
    width, begin = wide[sentence], (np.cumsum(wide) - wide)[sentence]
    own_at = np.repeat(np.arange(len(sentence)), width)
    column = np.arange(len(own_at)) - np.repeat(np.cumsum(width) - width, width)
    row = np.arange(len(sentence)) - (np.cumsum(high) - high)[sentence]
    slant = np.abs(((row + 0.5) / high[sentence])[own_at] - (column + 0.5) / width[own_at])
    return own_at, begin[own_at] + column, 1 - _SLANT * slant
