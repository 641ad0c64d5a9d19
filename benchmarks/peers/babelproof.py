"""babelproof, asked like its peers: the whole driver for attacks, `probes.perturb` for noise."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version

import numpy as np

import probes
from benchmarks.peers.speaking import Attacked, serve
from benchmarks.peers.victim import Victim
from probes import languages

TYPOS = ("swap", "keyboard", "drop", "repeat")
STATUS = {"fooled": "fooled", "held": "held", "wrong_already": "wrong", "not_applicable": "out"}


class Babelproof:
    """Typos of the language, drawn or searched over."""

    note = "swap, keyboard, drop, repeat"

    def __init__(self) -> None:
        self.version = version("babelproof")
        self._rng = np.random.default_rng(0)

    @cached_property
    def victim(self) -> Victim:
        return Victim()

    def perturb(self, text: str, lang: str, strength: float) -> str | None:
        return probes.perturb(text, languages.get(lang), TYPOS, strength, self._rng)

    def attack(self, name: str, rows: Sequence[tuple[str, str, str]], budget: int, distance: int) -> list[Attacked]:
        step = probes.Step("typos", TYPOS, "attack", strength=1.0, attack=name, budget=budget, max_characters=distance)
        examples = [probes.Example(f"{i:06}", probes.Item(t), lang, label) for i, (t, lang, label) in enumerate(rows)]
        report = probes.run(probes.Battery("bench", (step,)), self.victim, examples)
        found = {outcome.example: outcome for outcome in report.outcomes}
        return [(STATUS[o.status], o.after, o.queries) for o in (found[example.id] for example in examples)]


if __name__ == "__main__":
    serve(Babelproof)
