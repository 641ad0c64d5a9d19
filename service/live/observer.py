"""In the prober: probes one sampled text after the other and counts; texts are forgotten at once."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable
from pathlib import Path

from probes.detect import detect
from probes.oracle import Oracle
from probes.running.driver import Driver
from probes.types import Classifier, Example, Item
from service.live.counts import BINS, Counts, Model, Tally
from service.live.plan import MOST_CHARS, Plan, label

log = logging.getLogger("babelproof.live")
_FLUSH_S = 1.0


class Observer:
    """Counts what it observes, and adds it to the shared file every second."""

    def __init__(self, plan: Plan, path: Path, window: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._plan = plan
        self._path, self._window, self._clock = path, window, clock
        self._counts: Counts | None = None
        self._pending: dict[Model, Tally] = {}
        self._flushed = clock()
        # one each, so that a text that comes again is changed in another way
        self._seeds = itertools.count(plan.battery.seed)

    def observe(self, model: Model, classifier: Classifier, item: Item, lang: str | None = None) -> None:
        """Probe a text; its language is detected where it is not given."""
        lang = lang or detect(item.text)[0]
        tally = self._pending.setdefault(model, Tally())
        oracle = Oracle(classifier)
        [answer] = oracle([item])
        tally.texts[label(lang), min(BINS - 1, int(float(answer.max()) * BINS))] += 1
        if self._covers(lang, item):
            example = Example("live", item, lang)
            steps = [step for step in self._plan.battery.steps if step.covers(lang)]
            for outcome in Driver(next(self._seeds), oracle).block([(example, steps)]):
                if outcome.status in ("held", "fooled"):
                    tally.trials[label(lang), outcome.step] += 1
                    tally.flips[label(lang), outcome.step] += outcome.status == "fooled"
        if self._clock() - self._flushed >= _FLUSH_S:
            self.flush()

    def flush(self) -> None:
        """Add what was counted to the file; where that fails it is said, and lost."""
        self._flushed = self._clock()
        pending, self._pending = self._pending, {}
        if not pending:
            return
        try:
            if self._counts is None:
                self._counts = Counts(self._path, self._window)
            for model, tally in pending.items():
                self._counts.add(model, tally)
        except Exception as error:
            log.warning("what live probing counted is lost (%s): %s", type(error).__name__, self._path)
            self.close()

    def close(self) -> None:
        if self._counts is not None:
            self._counts.close()
            self._counts = None

    def _covers(self, lang: str, item: Item) -> bool:
        languages = self._plan.languages
        wanted = not languages or lang in languages or lang.split("-")[0] in languages
        return wanted and len(item.text) + len(item.pair or "") <= MOST_CHARS
