"""Differential evolution over characters, after Boucher et al. 2022 ("Bad Characters: Imperceptible NLP Attacks").

A vector says of each of 5 slots at which place it edits (below zero: nowhere) and which of the edits offered there it
makes; scipy evolves a population of 32 for at most 10 generations, all of theirs. Ours: places are those where an edit
is offered, slots that are not acceptable together are left out, and what a flip does not need is taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import differential_evolution

from probes.searching.search import Edits, pruned, ranked, trials, untouched
from probes.types import Accept, Attempt, Edit, Item, Oracle

SLOTS, POPULATION, GENERATIONS = 5, 32, 10

Places = Sequence[Sequence[Edit]]


def bad_characters(
    item: Item, label: int, edits: Sequence[Edit], oracle: Oracle, accept: Accept, rng: np.random.Generator
) -> Attempt:
    """Evolve vectors of 5 pairs (place, edit) by differential evolution, 32 of them for at most 10 generations."""
    places = [list(there) for _, there in groupby(sorted(edits), key=lambda edit: edit.start)]
    best = untouched(item, label, oracle)

    def left(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each vector, shape (2 * SLOTS, n), leaves to the label; nothing more is asked after a flip."""
        nonlocal best
        energies = np.ones(vectors.shape[1])
        if not best.fooled:
            found = trials(item, label, [_edits(v, item.text, places, accept) for v in vectors.T], oracle)
            energies[: len(found)] = [trial.probability for trial in found]
            best = ranked([best, *found])[0]
        return energies

    low, high = np.tile([-1.0, 0.0], SLOTS), np.tile([float(len(places)), 1.0], SLOTS)
    differential_evolution(
        left,
        list(zip(low, high, strict=True)),
        init=rng.uniform(low, high, (POPULATION, 2 * SLOTS)),
        maxiter=GENERATIONS,
        rng=rng,
        callback=lambda x, convergence: best.fooled,
        atol=-1.0,  # never done because all are alike, as they are before the first edit that matters
        polish=False,
        vectorized=True,
        updating="deferred",
    )
    kept = pruned(item, label, best.edits, oracle, accept)[0] if best.fooled else best.edits
    return Attempt(kept, best.fooled, oracle.queries)


def _edits(vector: NDArray[np.float64], text: str, places: Places, accept: Accept) -> Edits:
    """The edits a vector stands for, those that do not go with the ones before them left out."""
    done: Edits = ()
    for place, which in vector.reshape(SLOTS, 2):
        if place < 0:
            continue
        offered = places[min(int(place), len(places) - 1)]
        edit = offered[min(int(which * len(offered)), len(offered) - 1)]
        if accept(text, (*done, edit)):
            done = (*done, edit)
    return done
