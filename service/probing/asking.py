"""How a prober asks its model: in small runs, between which it can be stopped or give way to somebody who waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from probes.oracle import Oracle
from probes.report import Outcome
from probes.running.engine import Found, Probe, Work
from probes.running.state import Block, Done
from probes.types import Classifier, Item, Probabilities

Look = Callable[[], None]
"""Asked between any two small pieces of work; it raises where the work is no longer wanted."""

# Code points of one run, texts padded to the longest: tens of milliseconds of one thread
_AREA = 4096
# A piece of a request takes at least so long before the next is made smaller, and its texts double below that
_PIECE_S = 0.15
_MOST_TEXTS = 32


class Attentive:
    """A classifier that looks up before every small run, and tells after it of how many texts it was."""

    def __init__(self, classifier: Classifier, look: Look, told: Callable[[int], None] = lambda _: None) -> None:
        self.labels = tuple(classifier.labels)
        self._classifier = classifier
        self._look = look
        self._told = told

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        """Probabilities of shape (len(items), len(labels))."""
        answers = np.zeros((len(items), len(self.labels)), dtype=np.float32)
        for run in _runs([len(item.text) + len(item.pair or "") for item in items]):
            self._look()
            answers[run] = self._classifier([items[place] for place in run])
            self._told(len(run))
        return answers

    def drawn(self, draw: Callable[..., list[Any]], *work: Iterable[Any]) -> Iterator[list[Any]]:
        """Like map over examples and their steps, looking up before every step."""
        for example, steps in zip(*work, strict=True):
            prepared: list[Any] = []
            for step in steps:
                self._look()
                prepared += draw(example, [step])
            yield prepared


@dataclass(frozen=True, slots=True)
class Streaming:
    """Probes the blocks of a request in pieces, and tells the outcomes of each piece as they are there."""

    classifier: Classifier
    look: Look
    tell: Callable[[Sequence[Outcome]], None]

    def ordered(self, probe: Probe, work: Iterable[Work], ahead: int | None) -> Iterator[Found]:
        """What is found in each block."""
        attentive = Attentive(self.classifier, self.look)
        # remembers across pieces, so that a text that stands in several is asked once
        asked, texts = Oracle(attentive, batch_size=_MOST_TEXTS**2), 1
        for block, steps in work:
            outcomes: list[Outcome] = []
            queries, whole, at = 0, True, 0
            while at < len(block.examples):
                begun, piece = time.monotonic(), slice(at, at + texts)
                part = Block(block.number, block.examples[piece]), steps[piece]
                done = probe(part, asked, compute=attentive.drawn)[0]
                self.tell(done.outcomes)
                outcomes += done.outcomes
                queries, whole, at = queries + done.queries, whole and done.whole, at + texts
                quick = time.monotonic() - begun < _PIECE_S
                texts = min(2 * texts, _MOST_TEXTS) if quick else max(1, texts // 2)
            yield Done(block.number, outcomes, queries, whole), {}


class Keeping(Protocol):
    """Where the blocks of a job are kept (`service.probing.lease.Lease`)."""

    def block(self, number: int) -> Done:
        """A block that is kept."""

    def keep(self, found: Done, done: int) -> None:
        """Keep a block, once."""


@dataclass(slots=True)
class UnderWay:
    """How far a block is: outcomes of noise come all at once when its last text was asked, so texts count for them."""

    clean: int
    noise: int
    asked: int = 0
    settled: int = 0

    @classmethod
    def of(cls, work: Work) -> UnderWay:
        """A block that is begun now: its texts as they are, and the outcomes of noise there will be."""
        noise = sum(step.draws for steps in work[1] for step in steps if step.kind == "noise")
        return cls(len(work[0].examples), noise)

    @property
    def done(self) -> int:
        """Outcomes, never more than there will be."""
        return max(self.settled, min(self.noise, self.asked - self.clean))


@dataclass(slots=True)
class Durable:
    """Probes the blocks of a job that are not kept yet, each as a whole, and keeps them."""

    classifier: Classifier
    look: Look
    kept: Keeping
    begin: Callable[[Probe], set[int]]
    whole: int = 0
    """Outcomes of the blocks that are kept."""
    block: UnderWay = field(default_factory=lambda: UnderWay(0, 0))

    @property
    def done(self) -> int:
        """How far the job is, the block under way included, of which nothing is kept yet."""
        return self.whole + self.block.done

    def ordered(self, probe: Probe, work: Iterable[Work], ahead: int | None) -> Iterator[Found]:
        """What is found in each block, now or before."""
        attentive = Attentive(self.classifier, self.look, self._asked)
        known = self.begin(probe)
        for one in work:
            if (number := one[0].number) in known:
                found: Found = self.kept.block(number), {}
            else:
                self.block = UnderWay.of(one)
                found = probe(one, attentive, compute=attentive.drawn, go_on=self._settled)
                self.kept.keep(found[0], self.whole + len(found[0].outcomes))
            self.whole, self.block = self.whole + len(found[0].outcomes), UnderWay(0, 0)
            yield found

    def _asked(self, texts: int) -> None:
        self.block.asked += texts

    def _settled(self) -> bool:
        self.look()
        self.block.settled += 1
        return True


def _runs(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Places of texts of similar length, in runs whose texts x longest stay within the area; a longer text alone."""
    run: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if run and (len(run) + 1) * lengths[place] > _AREA:
            yield run
            run = []
        run.append(place)
    if run:
        yield run
