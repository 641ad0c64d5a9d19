"""How far a job says it is while a block is under way: after every run of the model, never beyond what will be."""

from __future__ import annotations

from collections.abc import Sequence

from probes import battery as batteries
from probes.running.state import Done
from probes.types import Example, Item, Probabilities
from service.probing.asking import Durable
from tests.fakes_probes import make_topics

TEXTS = [f"the team won match number {number} " + "and sang " * 40 for number in range(40)]
EXAMPLES = [Example(str(n), Item(text), "en") for n, text in enumerate(TEXTS)]
NOISE = {"name": "noise", "perturbations": ["swap"], "strength": 0.2, "draws": 4}
HUNT = {"name": "hunt", "kind": "attack", "attack": "greedy", "perturbations": ["drop"], "budget": 500}


class Kept:
    """Blocks in memory; some may be there before."""

    def __init__(self, *blocks: Done) -> None:
        self.blocks = {one.number: one for one in blocks}
        self.said: list[int] = []

    def block(self, number: int) -> Done:
        return self.blocks[number]

    def keep(self, found: Done, done: int) -> None:
        self.blocks[found.number] = found
        self.said.append(done)


class Watching:
    """The topics, which write down how far the job is when each of their answers is asked for."""

    def __init__(self) -> None:
        self._topics = make_topics()
        self.labels = self._topics.labels
        self.engine: Durable | None = None
        self.seen: list[int] = []

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        assert self.engine is not None
        self.seen.append(self.engine.done)
        return self._topics(items)


def run(kept: Kept, *steps: dict) -> tuple[list[int], int]:
    model = Watching()
    model.engine = Durable(model, lambda: None, kept, lambda _: set(kept.blocks))
    report = batteries.run(batteries.parse({"steps": list(steps)}), model, EXAMPLES, engine=model.engine)
    assert model.engine.done == len(report.outcomes)
    return model.seen, len(report.outcomes)


def test_noise_counts_as_its_texts_are_asked() -> None:
    kept = Kept()
    seen, total = run(kept, NOISE)
    assert (kept.said, total) == ([128, 160], 160)
    assert seen == sorted(seen) and seen[-1] < 160
    within = {n for n in seen if 0 < n < 128}
    assert len(within) > 8, "a run of the model is about ten of these texts"


def test_the_outcomes_of_attacks_count_one_by_one() -> None:
    seen, total = run(Kept(), HUNT, NOISE)
    assert total == 200 and seen == sorted(seen)
    assert {128, 129, 140, 159} <= set(seen), "after the noise of the first block its attacks"


def test_what_is_kept_counts_at_once() -> None:
    kept = Kept()
    run(kept, NOISE)
    seen, _ = run(Kept(kept.blocks[0]), NOISE)
    assert min(seen) == 128
