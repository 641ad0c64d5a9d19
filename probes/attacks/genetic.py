"""Genetic search, after Alzantot et al. 2018 ("Generating Natural Language Adversarial Examples").

A population of edited texts; parents are drawn by the harm they do, a child takes each edit of its parents or not, and
is mutated; the best survives. Ours: the individuals are sets of whatever edits are offered, a mutation is a drawn edit
and not the best of a word's neighbours (a query each), and what the flip does not need is taken back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probes.searching.search import Edits, Trial, pruned, ranked, trials, untouched
from probes.types import Accept, Attempt, Edit, Item, Oracle

POPULATION, GENERATIONS = 16, 20
# Edits drawn for a mutation until one is acceptable.
TRIES = 8


def genetic(
    item: Item, label: int, edits: Sequence[Edit], oracle: Oracle, accept: Accept, rng: np.random.Generator
) -> Attempt:
    """Breed 16 edited texts for at most 20 generations: parents by harm, children mixed and mutated, the best kept."""
    best = untouched(item, label, oracle)
    children = [_mutated(item.text, (), edits, accept, rng) for _ in range(POPULATION)]
    population = trials(item, label, children, oracle)
    for _ in range(GENERATIONS):
        best = ranked([best, *population])[0]
        if best.fooled or not any(trial.edits for trial in population):
            break
        children = [
            _mutated(item.text, _child(item.text, population, accept, rng), edits, accept, rng)
            for _ in range(POPULATION - 1)
        ]
        population = [best, *trials(item, label, children, oracle)]
    best = ranked([best, *population])[0]
    kept = pruned(item, label, best.edits, oracle, accept)[0] if best.fooled else best.edits
    return Attempt(kept, best.fooled, oracle.queries)


def _child(text: str, population: Sequence[Trial], accept: Accept, rng: np.random.Generator) -> Edits:
    """Each edit of two parents with probability one half, as far as they go together."""
    harm = np.array([1 - trial.probability for trial in population]) + 1e-6
    mother, father = (population[i] for i in rng.choice(len(population), 2, p=harm / harm.sum()))
    child: Edits = ()
    for edit in sorted({*mother.edits, *father.edits}):
        if rng.random() < 0.5 and accept(text, (*child, edit)):
            child = (*child, edit)
    return child


def _mutated(text: str, child: Edits, edits: Sequence[Edit], accept: Accept, rng: np.random.Generator) -> Edits:
    """With one drawn edit more; where none can be added, with one less."""
    for i in rng.permutation(len(edits))[:TRIES]:
        if edits[i] not in child and accept(text, (*child, edits[i])):
            return tuple(sorted((*child, edits[i])))
    gone = int(rng.integers(max(1, len(child))))
    return child[:gone] + child[gone + 1 :]
